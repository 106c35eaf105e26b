// store: what came of asking each model, for the next process: numbers under hashes of names, no text of a
// question.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "store/database.hpp"

namespace meshai::store {

struct lesson_row {
  std::uint64_t model = 0;  // route::target_id
  int how = 0;              // route::complexity
  double answered = 0, failed = 0, again = 0, wait = 0;
  wall_time at;  // of which the counts are
};

// In the folder for state: `lessons.db`.
std::filesystem::path lessons_file(const std::filesystem::path& state);
result<database> open_lessons(const std::filesystem::path& file);

// In one transaction; takes the place of what stood there for the same model and class.
result<void> write_lessons(database& in, std::span<const lesson_row> all);
// Those since `from`, at most 4096; older ones are deleted.
result<std::vector<lesson_row>> read_lessons(database& in, wall_time from);

}  // namespace meshai::store
