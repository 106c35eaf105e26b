#include "store/lessons.hpp"

#include <array>
#include <bit>

namespace meshai::store {
namespace {

constexpr std::array<std::string_view, 1> schema{R"(
CREATE TABLE lesson (
  model INTEGER NOT NULL,
  class INTEGER NOT NULL,
  answered REAL NOT NULL,
  failed REAL NOT NULL,
  again REAL NOT NULL,
  wait REAL NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (model, class)
) STRICT, WITHOUT ROWID;
)"};

std::int64_t seconds(wall_time of) {
  return std::chrono::duration_cast<std::chrono::seconds>(of.time_since_epoch()).count();
}

}  // namespace

std::filesystem::path lessons_file(const std::filesystem::path& state) {
  return state / "lessons.db";
}

result<database> open_lessons(const std::filesystem::path& file) {
  return database::open(file, database::access::create, schema);
}

result<void> write_lessons(database& in, std::span<const lesson_row> all) {
  return in.transaction([&]() -> result<void> {
    for (const auto& one : all) {
      auto written = in.run("INSERT OR REPLACE INTO lesson VALUES (?, ?, ?, ?, ?, ?, ?)",
                            {std::bit_cast<std::int64_t>(one.model), std::int64_t{one.how}, one.answered,
                             one.failed, one.again, one.wait, seconds(one.at)});
      if (!written) return std::unexpected(std::move(written.error()));
    }
    return {};
  });
}

result<std::vector<lesson_row>> read_lessons(database& in, wall_time from) {
  if (auto old = in.run("DELETE FROM lesson WHERE at < ?", {seconds(from)}); !old)
    return std::unexpected(std::move(old.error()));
  std::vector<lesson_row> out;
  auto read =
      in.each("SELECT model, class, answered, failed, again, wait, at FROM lesson ORDER BY at DESC LIMIT 4096", {},
              [&](const row& one) {
                out.push_back({.model = std::bit_cast<std::uint64_t>(one.integer(0)),
                               .how = static_cast<int>(one.integer(1)),
                               .answered = one.real(2),
                               .failed = one.real(3),
                               .again = one.real(4),
                               .wait = one.real(5),
                               .at = wall_time(std::chrono::seconds(one.integer(6)))});
              });
  if (!read) return std::unexpected(std::move(read.error()));
  return out;
}

}  // namespace meshai::store
