#include "sim/doors.hpp"

#include <fmt/format.h>

#include <iterator>

#include "env/event.hpp"

namespace meshai::sim {

wall_time clock::wall() const {
  using namespace std::chrono;
  constexpr wall_time start = sys_days(year(2025) / 1 / 1);
  return start + floor<milliseconds>(core_.now.time_since_epoch() - hours(1000));
}

task<void> clock::sleep_until(instant when) {
  if (when <= core_.now) co_return;
  env::event rung(core_.loop);
  const alarm set(core_, when, [&rung] { rung.set(); });
  co_await rung.wait();
}

void entropy::fill(std::span<std::byte> into) {
  for (auto& byte : into) byte = static_cast<std::byte>(dice_.next() >> 56);
}

task<void> pool::run(std::move_only_function<void()> work) {
  work();
  co_return;
}

void log::write(env::log_level level, std::string_view event, std::initializer_list<env::log_field> fields) {
  core_.note(event, {static_cast<std::uint64_t>(level)}, host_);
  if (!core_.how.keep_log) return;
  const auto since = core_.now.time_since_epoch() - std::chrono::hours(1000);
  auto line = fmt::format("{:.6f} {} {}", std::chrono::duration<double>(since).count(), host_, event);
  for (const auto& field : fields) {
    fmt::format_to(std::back_inserter(line), " {}=", field.key);
    struct writer {
      std::string& out;
      void operator()(std::int64_t n) const { out += std::to_string(n); }
      void operator()(double x) const { out += std::to_string(x); }
      void operator()(bool yes) const { out += yes ? "true" : "false"; }
      void operator()(std::chrono::nanoseconds span) const { out += std::to_string(span.count()) + "ns"; }
      void operator()(env::own_name name) const { out += name.text; }
    };
    std::visit(writer{line}, field.value);
  }
  core_.lines.push_back(std::move(line));
}

}  // namespace meshai::sim
