#include "watch.hpp"

#include <array>
#include <random>

#include "env/clock.hpp"
#include "tampering.hpp"

namespace meshai::simulation {
namespace {

using namespace std::chrono_literals;

// A read or write that is under way keeps its question busy, however it ends.
class busy {
 public:
  busy(journal& in, line& on) : in_(in), on_(on) {}
  ~busy() {
    if (!on_.questions.empty()) on_.questions.back().busy_until = in_.clock->now();
  }

 private:
  journal& in_;
  line& on_;
};

// "[c0.1]" at the beginning of a prompt.
std::string tag_in(std::string_view text) {
  for (auto at = text.find("[c"); at != text.npos; at = text.find("[c", at + 1)) {
    const auto end = text.find(']', at);
    if (end != text.npos && end - at < 16) return std::string(text.substr(at + 1, end - at - 1));
  }
  return {};
}

// The first content, thought or argument in any dialect.
bool shows_token(std::string_view bytes) {
  for (const std::string_view name : {R"("content":")", R"("reasoning_content":")", R"("text":")",
                                      R"("thinking":")", R"("partial_json":")", R"("arguments":")"}) {
    for (auto at = bytes.find(name); at != bytes.npos; at = bytes.find(name, at + 1)) {
      const auto first = at + name.size();
      if (first < bytes.size() && bytes[first] != '"') return true;
    }
  }
  return false;
}

class watched_stream final : public env::stream {
 public:
  watched_stream(std::unique_ptr<env::stream> real, const env::world& world, journal& into, line& as,
                 mischief what)
      : real_(std::move(real)), world_(world), into_(into), as_(as), tampers_(what), what_(what) {}
  ~watched_stream() override { mark_closed(); }

  task<result<std::size_t>> read_some(std::span<char> into) override {
    const busy now(into_, as_);
    const auto got = co_await real_->read_some(into);
    const bool over = !got || *got == 0;
    if (over && as_.ended == never && as_.closed == never) {
      as_.ended = into_.clock->now();
      into_.note((as_.inward ? "caller at " : "provider at ") + as_.who + " ended its connection");
      if (as_.inward && what_ == mischief::go_on_alone) {
        co_await world_.clock.sleep_until(into_.clock->now() + 20s);
      }
    }
    if (!over && as_.inward) listen(std::string_view(into.data(), *got));
    if (!over && !as_.inward && !as_.questions.empty()) hear_answer(std::string_view(into.data(), *got));
    if (!over && !as_.inward && what_ == mischief::no_rest) tampering::hide_rest(into.first(*got));
    co_return got;
  }

  task<result<void>> write_all(std::span<const std::string_view> pieces) override {
    std::string bytes;
    for (const auto piece : pieces) bytes += piece;
    if (!as_.inward) speak(bytes);
    const busy now(into_, as_);
    if (as_.inward) {
      const int asked = as_.questions.empty() ? 0 : into_.asked[as_.questions.back().tag];
      auto spoilt = tampers_.answer(std::move(bytes), asked);
      if (!spoilt) co_await world_.clock.sleep_until(never);
      if (spoilt->empty()) co_return result<void>{};
      bytes = *std::move(spoilt);
    } else if (what_ == mischief::echo && bytes.starts_with("POST ")) {
      co_await echo(bytes);
    }
    const std::string_view one[] = {bytes};
    co_return co_await real_->write_all(one);
  }

  void read_by(instant when) override { real_->read_by(when); }
  void write_by(instant when) override { real_->write_by(when); }
  void close() noexcept override {
    mark_closed();
    real_->close();
  }
  const env::address& peer() const override { return real_->peer(); }
  bool stranded() const override { return real_->stranded(); }

 private:
  void mark_closed() noexcept {
    if (as_.closed == never) as_.closed = into_.clock->now();
  }

  // What a caller says: each tag is a question. What is cut in the middle comes whole with the next piece.
  void listen(std::string_view bytes) {
    heard_ += bytes;
    if (const auto tag = tag_in(heard_);
        !tag.empty() && (as_.questions.empty() || as_.questions.back().tag != tag)) {
      open_question(tag);
      into_.note("the node reads " + tag);
    }
    keep_tail();
  }

  void hear_answer(std::string_view bytes) {
    auto& now = as_.questions.back();
    now.answered = into_.clock->now();
    if (now.streams) return;
    answer_ += bytes;
    now.streams = shows_token(answer_);
    constexpr std::size_t longest_name = 32;
    if (answer_.size() > longest_name) answer_.erase(0, answer_.size() - longest_name);
  }

  // What a provider is asked: each request line is a question, with or without a tag.
  void speak(std::string_view bytes) {
    if (bytes.starts_with("POST ") || bytes.starts_with("GET ")) {
      heard_.clear();
      answer_.clear();
      open_question({});
    }
    heard_ += bytes;
    if (const auto tag = tag_in(heard_); !tag.empty() && as_.questions.back().tag.empty()) {
      as_.questions.back().tag = tag;
      ++into_.asked[tag];
      into_.note("the node asks " + as_.who + " for " + tag);
    }
    keep_tail();
  }

  void open_question(std::string tag) {
    const auto now = into_.clock->now();
    as_.questions.push_back({.tag = std::move(tag), .asked = now, .busy_until = now});
  }

  void keep_tail() {
    constexpr std::size_t longest_tag = 32;
    if (heard_.size() > longest_tag) heard_.erase(0, heard_.size() - longest_tag);
  }

  task<void> echo(std::string_view bytes) {
    for (int i = 0; i < 2; ++i) {
      auto again = co_await world_.network.dial(real_->peer(), into_.clock->now() + 2s);
      if (!again) continue;
      const std::string_view one[] = {bytes};
      (void)co_await (*again)->write_all(one);
      echoes_.push_back(std::move(*again));
    }
  }

  std::unique_ptr<env::stream> real_;
  const env::world& world_;
  journal& into_;
  line& as_;
  tampering tampers_;
  mischief what_;
  std::string heard_, answer_;
  std::vector<std::unique_ptr<env::stream>> echoes_;
};

line& open(journal& into, bool inward, const env::address& who, instant dialled) {
  return into.lines.emplace_back(
      line{.inward = inward, .who = who.text(), .dialled = dialled, .opened = into.clock->now(), .questions = {}});
}

class watched_listener final : public env::listener {
 public:
  watched_listener(std::unique_ptr<env::listener> real, const env::world& world, journal& into, mischief what)
      : real_(std::move(real)), world_(world), into_(into), what_(what) {}

  task<result<std::unique_ptr<env::stream>>> accept() override {
    auto real = co_await real_->accept();
    if (!real) co_return real;
    auto& as = open(into_, true, (*real)->peer(), into_.clock->now());
    co_return std::make_unique<watched_stream>(*std::move(real), world_, into_, as, what_);
  }
  const env::address& local() const override { return real_->local(); }
  void close() noexcept override { real_->close(); }

 private:
  std::unique_ptr<env::listener> real_;
  const env::world& world_;
  journal& into_;
  mischief what_;
};

class watched_network final : public env::network {
 public:
  watched_network(env::network& real, const env::world& world, journal& into, mischief what)
      : real_(real), world_(world), into_(into), what_(what) {}

  void watch_ways(std::function<void()> tell) override { real_.watch_ways(std::move(tell)); }
  task<result<std::vector<std::string>>> resolve(std::string host, instant deadline) override {
    return real_.resolve(std::move(host), deadline);
  }
  task<result<std::unique_ptr<env::stream>>> dial(env::address to, instant deadline) override {
    const auto begun = into_.clock->now();
    if (what_ == mischief::throw_dice) {
      std::random_device entropy;
      co_await world_.clock.sleep_until(into_.clock->now() + std::chrono::microseconds(entropy() % 100));
    }
    auto real = co_await real_.dial(to, deadline);
    if (!real) {
      into_.note("the node cannot reach " + to.text());
      into_.refused_dials.push_back(to.text());
      co_return real;
    }
    auto& as = open(into_, false, to, begun);
    co_return std::make_unique<watched_stream>(*std::move(real), world_, into_, as, what_);
  }
  result<std::unique_ptr<env::listener>> listen(const env::address& at, bool reuse_port) override {
    auto real = real_.listen(at, reuse_port);
    if (!real) return real;
    return std::make_unique<watched_listener>(*std::move(real), world_, into_, what_);
  }
  task<result<std::unique_ptr<env::stream>>> secure_client(std::unique_ptr<env::stream> plain, std::string host,
                                                           env::trust anchors, instant deadline) override {
    return real_.secure_client(std::move(plain), std::move(host), std::move(anchors), deadline);
  }
  task<result<std::unique_ptr<env::stream>>> secure_server(std::unique_ptr<env::stream> plain,
                                                           std::shared_ptr<const env::identity> who,
                                                           instant deadline) override {
    return real_.secure_server(std::move(plain), std::move(who), deadline);
  }
  result<std::shared_ptr<const env::identity>> load_identity(const std::string& cert_file,
                                                             const std::string& key_file) override {
    return real_.load_identity(cert_file, key_file);
  }

 private:
  env::network& real_;
  const env::world& world_;
  journal& into_;
  mischief what_;
};

}  // namespace

std::string_view to_string(mischief of) {
  constexpr std::array<std::string_view, mischiefs> names{
      "none",         "lose_token", "double_token",  "swap_tokens",     "swallow_error",  "lose_end",
      "double_seam",  "lose_seam",  "stitch",        "send_both",       "forget_attempt", "tell_another",
      "hang",         "ignore_cap", "mislabel_tier", "ignore_fallback", "storm",          "crowd",
      "ignore_share", "hedge_up",   "echo",          "no_rest",         "go_on_alone",    "keep_connection",
      "throw_dice"};
  return names[static_cast<std::size_t>(of)];
}

std::unique_ptr<env::network> watch(env::network& real, const env::world& world, journal& into, mischief what) {
  return std::make_unique<watched_network>(real, world, into, what);
}

}  // namespace meshai::simulation
