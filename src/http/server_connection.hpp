// http: one connection of the server. Inside of the room only.
//
// Two coroutines share it: one always reads, into a bounded buffer; the other takes requests out of that buffer
// and runs the handler. So the end of the connection is seen while a handler runs, and cancels it.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "env/event.hpp"
#include "env/scope.hpp"
#include "http/buffer.hpp"
#include "http/server.hpp"

namespace meshai::http {

struct server::state {
  state(const env::world& in, handler& answers, server_options how) : world(in), what(answers), options(how) {}

  std::string_view date();  // now, as IMF-fixdate (RFC 9110 5.6.7)

  env::world world;
  handler& what;
  server_options options;
  std::list<connection*> connections;  // as they came: the same order in every run
  std::size_t busy = 0;
  std::optional<std::chrono::nanoseconds> draining;  // how long an idle connection still waits for a request

 private:
  std::string date_;
  std::chrono::sys_seconds date_second_{};
};

// Bytes taken from a budget, given back at the end.
class budget_share {
 public:
  explicit budget_share(body_budget* from) : from_(from) {}
  ~budget_share() { release(); }
  budget_share(const budget_share&) = delete;
  budget_share& operator=(const budget_share&) = delete;

  bool grow_to(std::size_t bytes);
  void release() noexcept;

 private:
  body_budget* from_;
  std::size_t held_ = 0;
};

class connection {
 public:
  connection(std::shared_ptr<server::state> home, std::unique_ptr<env::stream> stream);
  ~connection();

  task<void> run();
  void wake() { arrived_.set(); }  // to look at `draining` again

  const wire::request_head& head() const { return parser_.head(); }
  const env::address& peer() const { return stream_->peer(); }
  task<result<std::string_view>> read_body(std::size_t limit);

  bool started() const { return turn_.answer != progress::none; }
  task<result<void>> send(int status, std::span<const wire::header> headers, std::string_view body);
  result<void> start(int status, std::span<const wire::header> headers);
  task<result<void>> write(std::string_view bytes);
  task<result<void>> finish(std::string_view last);

 private:
  enum class progress { none, streaming, complete, broken };

  // What is known of the request being answered.
  struct turn {
    progress answer = progress::none;
    bool body_asked = false;
    bool body_failed = false;
    bool continued = false;  // 100 (Continue) was sent
    bool head_request = false;
    bool chunked = false;       // the answer
    bool without_body = false;  // its status or the method forbids one
    bool keep = false;          // the connection outlives it
  };

  task<void> read_all_the_time();
  task<void> take_requests();
  task<bool> next_head();
  void consume(std::size_t size);
  task<void> more();
  task<bool> answer_one();
  task<void> refuse(error why);
  task<result<void>> send_shaped(int status, error why);  // in the handler's words
  task<bool> drop_rest_of_body();
  task<void> linger();

  task<result<void>> receive_body(std::size_t limit);
  result<void> grow_body(std::string_view piece);
  task<result<void>> put(std::span<const std::string_view> pieces);
  bool may_keep() const;
  result<void> compose(int status, std::span<const wire::header> headers, std::optional<std::size_t> length);
  instant in(std::chrono::nanoseconds span) const { return home_->world.clock.now() + span; }

  std::shared_ptr<server::state> home_;
  std::list<connection*>::iterator place_;  // in home_->connections
  std::unique_ptr<env::stream> stream_;
  wire::request_parser parser_;
  buffer in_;
  std::string out_;  // the head, or what stands before the next chunk
  std::string body_;
  budget_share budget_;
  turn turn_;
  env::event arrived_;  // something was read, or nothing more will be
  env::event room_;     // the buffer has room again
  bool waiting_for_bytes_ = false;
  bool waiting_for_room_ = false;
  bool read_ended_ = false;
  bool read_timed_out_ = false;
  bool handling_ = false;
  bool fresh_ = true;  // no request was read yet
  env::scope reading_;
  env::scope answering_;
};

}  // namespace meshai::http
