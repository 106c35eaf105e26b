// meshai classify: how hard each prompt looks, and what it holds. JSON lines in, as many out, in order; needs no
// node, keeps nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <iterator>
#include <thread>
#include <vector>

#include "app/commands.hpp"
#include "app/lines.hpp"
#include "app/terminal.hpp"
#include "care/care.hpp"
#include "chat/chat.hpp"
#include "os/descriptor.hpp"
#include "route/route.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_line = 8 << 20;
constexpr unsigned most_threads = 16;

// One thread's own: memory and a request that are used again for each line.
class classifier {
 public:
  explicit classifier(bool care) : care_(care) { asked_.messages.emplace_back().parts.emplace_back(); }

  // Appends one line of answers for each of `batch`. `wrong` gets the numbers of those that could not be read.
  void answer(const line_batch& batch, std::string& out, std::vector<std::uint64_t>& wrong) {
    auto number = batch.first;
    bool cut = batch.cut;
    for (std::string_view left = batch.text; !left.empty(); ++number) {
      auto line = left.substr(0, left.find('\n'));
      left.remove_prefix(line.size() + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      const auto fault = cut || line.size() > longest_line ? "is longer than 8 MiB" : answer(line, out);
      cut = false;
      if (fault.empty()) continue;
      wrong.push_back(number);
      fmt::format_to(std::back_inserter(out),
                     R"({{"error":{{"line":{},"message":"line {} {}"}}}})"
                     "\n",
                     number, number, fault);
    }
  }

 private:
  // What is wrong with the line; nothing: it is answered. Never a piece of the line itself.
  std::string answer(std::string_view line, std::string& out) {
    if (line.find_first_not_of(" \t") == line.npos) return "is empty";
    json::monotonic_resource memory(first_, sizeof first_);
    json::parser parser(&memory, {}, scratch_, sizeof scratch_);
    boost::system::error_code code;
    const auto read = parser.write(line, code);
    if (code) return fmt::format("is not JSON: column {}", read + 1);
    const auto whole = parser.release();
    const auto* object = whole.if_object();
    const auto* prompt = object == nullptr ? nullptr : object->if_contains("prompt");
    if (prompt == nullptr || !prompt->is_string()) return R"(has no \"prompt\": it wants {\"prompt\": \"text\"})";
    asked_.messages.front().parts.front().text = prompt->get_string();
    asked_.text_size = prompt->get_string().size();
    write(route::judge(asked_), out);
    if (care_) write(care::look(prompt->get_string()), out);
    out += "}\n";
    return {};
  }

  static void write(const route::judgement& judged, std::string& out) {
    const auto& seen = judged.seen;
    auto to = std::back_inserter(out);
    fmt::format_to(to, R"({{"complexity":{:.4f},"class":"{}","features":{{"points":{},"words":{},"bytes":{},)",
                   judged.value, to_string(judged.how), judged.score, seen.words, seen.text_size);
    fmt::format_to(to, R"("gain":{:.4f},"options":{},"hard_words":{},"easy_words":{},"code":{},"arithmetic":{}}})",
                   judged.gain, seen.options, seen.hard_words, seen.easy_words, seen.code, seen.arithmetic);
  }

  static void write(const care::found& held, std::string& out) {
    const auto list = [&](const auto& all, auto show) {
      bool first = true;
      for (const auto each : all) {
        if (!held.has(each)) continue;
        out += std::exchange(first, false) ? "" : ",";
        show(each);
      }
    };
    const auto to = std::back_inserter(out);
    out += R"(,"care":{"classes":[)";
    list(care::contents, [&](care::content each) { fmt::format_to(to, R"("{}")", to_string(each)); });
    out += R"(],"kinds":{)";
    list(care::kinds,
         [&](care::kind each) { fmt::format_to(to, R"("{}":{})", to_string(each), held.count(each)); });
    out += "}}";
  }

  bool care_;
  chat::request asked_;
  unsigned char first_[16384], scratch_[4096];
};

// Batches are answered by several threads and printed in turn.
class line_of_answers {
 public:
  line_of_answers(int fd, bool care) : reader_(fd, longest_line), care_(care) {}

  void work() {
    classifier one(care_);
    line_batch batch;
    std::string out;
    std::vector<std::uint64_t> wrong;
    while (reader_.next(batch)) {
      out.clear();
      wrong.clear();
      one.answer(batch, out, wrong);
      std::unique_lock lock(mutex_);
      printed_.wait(lock, [&] { return turn_ == batch.turn; });
      // The others may wait for input that never comes: nobody wants it any more.
      if (!print(out)) std::_Exit(complain("cannot write: " + std::string(std::strerror(errno)), exit_failed));
      if (wrong_ == 0 && !wrong.empty()) first_wrong_ = wrong.front();
      wrong_ += wrong.size();
      ++turn_;
      printed_.notify_all();
    }
  }

  // Once all threads have ended.
  int finish() const {
    if (reader_.failure() != 0)
      return complain("cannot read: " + std::string(std::strerror(reader_.failure())), exit_failed);
    if (wrong_ == 0) return exit_ok;
    return complain(fmt::format("{} {} could not be read, the first is line {}", wrong_,
                                wrong_ == 1 ? "line" : "lines", first_wrong_),
                    exit_failed);
  }

 private:
  line_reader reader_;
  bool care_;
  std::mutex mutex_;
  std::condition_variable printed_;
  std::uint64_t turn_ = 0;
  std::size_t wrong_ = 0;
  std::uint64_t first_wrong_ = 0;
};

}  // namespace

int classify(const classify_options& how) {
  const bool from_file = !how.file.empty() && how.file != "-";
  const os::descriptor file(from_file ? ::open(how.file.c_str(), O_RDONLY | O_CLOEXEC) : -1);
  if (from_file && !file) return complain("cannot read " + how.file + ": " + std::strerror(errno), exit_failed);
  const int fd = from_file ? file.get() : 0;
  if (::isatty(fd) == 1)
    print(paint("type lines like {\"prompt\": \"What is 2+2?\"}; Ctrl-D ends them\n", style::dim, 2), 2);
  line_of_answers all(fd, how.care);
  {
    const auto count = std::clamp(std::thread::hardware_concurrency(), 1u, most_threads);
    std::vector<std::jthread> threads;
    threads.reserve(count);
    for (unsigned i = 0; i < count; ++i) threads.emplace_back([&] { all.work(); });
  }
  return all.finish();
}

}  // namespace meshai::app
