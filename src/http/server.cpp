#include "http/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "http/server_connection.hpp"

namespace meshai::http {

std::string_view server::state::date() {
  using namespace std::chrono;
  const auto now = floor<seconds>(world.clock.wall());
  if (now != date_second_ || date_.empty()) {
    static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<std::chrono::days>(now);
    const year_month_day date(day);
    const hh_mm_ss time(now - day);
    date_ = fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[weekday(day).c_encoding()],
                        static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                        static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                        time.seconds().count());
    date_second_ = now;
  }
  return date_;
}

server::server(const env::world& world, handler& what, server_options options)
    : state_(std::make_shared<state>(world, what, options)) {}

server::~server() = default;

task<void> server::serve(std::unique_ptr<env::stream> stream) {
  connection served(state_, std::move(stream));
  co_await served.run();
}

void server::drain(std::chrono::nanoseconds patience) {
  auto& now = state_->draining;
  now = now ? std::min(*now, patience) : patience;
  for (auto* each : state_->connections) each->wake();
}

std::size_t server::connections() const {
  return state_->connections.size();
}
std::size_t server::busy() const {
  return state_->busy;
}

const wire::request_head& request::head() const {
  return on_.head();
}
const env::address& request::peer() const {
  return on_.peer();
}
task<result<std::string_view>> request::body(std::size_t limit) {
  return on_.read_body(limit);
}

bool responder::started() const {
  return on_.started();
}
task<result<void>> responder::send(int status, std::span<const wire::header> headers, std::string_view body) {
  return on_.send(status, headers, body);
}
result<void> responder::start(int status, std::span<const wire::header> headers) {
  return on_.start(status, headers);
}
task<result<void>> responder::write(std::string_view bytes) {
  return on_.write(bytes);
}
task<result<void>> responder::finish(std::string_view last) {
  return on_.finish(last);
}

}  // namespace meshai::http
