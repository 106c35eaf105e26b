#include "os/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace meshai::os {
namespace {

std::string_view to_string(env::log_level level) {
  switch (level) {
    case env::log_level::debug:
      return "debug";
    case env::log_level::info:
      return "info";
    case env::log_level::warning:
      return "warning";
    case env::log_level::error:
      return "error";
  }
  CHECK(false);
}

// RFC 3339, UTC.
std::string stamp(wall_time when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(when - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

// RFC 8259 7.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_plain(std::string_view text) {
  return !text.empty() &&
         std::ranges::none_of(text, [](unsigned char c) { return c <= ' ' || c == '"' || c == '=' || c == 0x7f; });
}

struct value_writer {
  std::string& out;
  bool json;

  void operator()(std::int64_t n) const { fmt::format_to(std::back_inserter(out), "{}", n); }
  void operator()(double x) const { fmt::format_to(std::back_inserter(out), "{}", x); }
  void operator()(bool yes) const { out += yes ? "true" : "false"; }
  void operator()(std::chrono::nanoseconds span) const {
    (*this)(std::chrono::duration<double>(span).count());
    if (!json) out += 's';
  }
  void operator()(env::own_name name) const {
    if (!json && is_plain(name.text)) {
      out += name.text;
    } else {
      append_quoted(out, name.text);
    }
  }
};

}  // namespace

std::string render_line(wall_time when, env::log_level level, std::string_view event,
                        std::initializer_list<env::log_field> fields) {
  auto out = fmt::format("{} {} {}", stamp(when), to_string(level), event);
  for (const auto& field : fields) {
    fmt::format_to(std::back_inserter(out), " {}=", field.key);
    std::visit(value_writer{out, false}, field.value);
  }
  return out += '\n';
}

std::string render_json(wall_time when, env::log_level level, std::string_view event,
                        std::initializer_list<env::log_field> fields) {
  auto out = fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", stamp(when), to_string(level), event);
  for (const auto& field : fields) {
    fmt::format_to(std::back_inserter(out), R"(,"{}":)", field.key);
    std::visit(value_writer{out, true}, field.value);
  }
  return out += "}\n";
}

void log::write(env::log_level level, std::string_view event, std::initializer_list<env::log_field> fields) {
  if (level < least_) return;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto line = json_ ? render_json(now, level, event, fields) : render_line(now, level, event, fields);
  // A log that cannot be written has nowhere to complain.
  [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace meshai::os
