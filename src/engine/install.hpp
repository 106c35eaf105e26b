// engine: putting files in place so that they are there whole or not at all.
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace meshai::engine {

// `to` is a new name on the disk for what `from` holds: a reflink where the file system can, else a hard link,
// else a copy. Content with the same bytes under both names already is fine; refused where `to` is another file.
// Blocking.
result<void> install_file(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes the symbolic link or points it elsewhere, in one step. refused where `link` is something else than a link.
result<void> replace_link(const std::filesystem::path& link, const std::filesystem::path& target);

}  // namespace meshai::engine
