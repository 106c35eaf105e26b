// upstream: one attempt from the request written to the last byte read. Internal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/http.hpp"
#include "upstream/endpoint.hpp"
#include "upstream/upstream.hpp"
#include "wire/wire.hpp"

namespace meshai::upstream {

class conversation final : public attempt {
 public:
  conversation(env::world& world, http::client& over, route::health& known, const call& what);

  task<progress> read(std::vector<chat::delta>& into) override;
  chat::answer take_answer() override { return std::move(whole_); }
  const route::fault& why() const override { return *why_; }
  bool stranded() const override { return answer_ ? answer_->stranded() : asking_.stranded(); }
  const std::vector<std::string>& dropped() const override { return dropped_; }

 private:
  enum class mode { stream, whole };

  task<bool> begin();                                 // false: why_, as is ask()
  task<bool> ask();                                   // once
  task<void> judge_status();                          // an answer with another status than 200
  task<void> judge_body(std::string_view said_type);  // a body with 200 where a stream should be
  task<progress> read_whole();
  task<progress> read_steps(std::vector<chat::delta>& into);

  // What a piece of the stream means; nothing: read on.
  std::optional<progress> take(std::string_view piece, std::vector<chat::delta>& into);
  std::optional<progress> take_event(const wire::sse_event& event, std::vector<chat::delta>& into);
  progress at_end();
  progress broken(const error& how);
  progress end();
  progress fail_with(route::fault why);
  progress judge(const chat::bad_answer& bad);
  void watch_the_end(bool said_so);
  bool cut_loop(std::vector<chat::delta>& into, std::size_t from);

  chat::target target() const;
  std::vector<wire::header> headers(const chat::upstream_call& written) const;
  const std::string& node() const { return what_.to->node; }

  env::world& world_;
  http::client& http_;
  route::health& known_;
  call what_;
  mode mode_;
  const endpoint::key* key_ = nullptr;
  bool begun_ = false;
  bool streams_not_ = false;  // it refused a stream that nobody needs to have
  http::whereabouts asking_;
  std::optional<http::answer> answer_;
  wire::sse_parser parser_;
  std::unique_ptr<chat::stream_reader> reader_;
  bool ending_ = false;  // every choice has its finish reason; only usage and the end may follow
  struct watched {
    int choice;
    bool finished = false;
    route::repetition text;
  };
  std::vector<watched> loops_;  // of a local engine's choices
  std::optional<route::fault> why_;
  std::vector<std::string> dropped_;
  chat::answer whole_;
};

}  // namespace meshai::upstream
