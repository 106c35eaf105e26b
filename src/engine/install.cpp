#include "engine/install.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>

namespace meshai::engine {
namespace fs = std::filesystem;
namespace {

std::unexpected<error> trouble(std::string_view what, const fs::path& file, int number) {
  const auto kind = number == ENOSPC || number == EDQUOT ? error_kind::exhausted : error_kind::refused;
  return fail(kind, fmt::format("cannot {} {}: {}{}", what, file.string(), std::strerror(number),
                                kind == error_kind::exhausted ? "; make room and try again" : ""));
}

struct descriptor {
  int number = -1;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

// A file beside its later place, gone again unless it was moved there.
struct draft {
  fs::path name;
  descriptor file;
  explicit draft(const fs::path& target) {
    auto pattern = (target.parent_path() / fmt::format(".{}.XXXXXX", target.filename().string())).string();
    file.number = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (file.number >= 0) name = pattern;
  }
  ~draft() {
    if (!name.empty()) ::unlink(name.c_str());
  }
};

result<void> copy_bytes(int from, int to, const fs::path& source, const fs::path& target) {
  for (;;) {
    const auto got = ::copy_file_range(from, nullptr, to, nullptr, std::size_t{64} << 20, 0);
    if (got == 0) return {};
    if (got > 0 || errno == EINTR) continue;
    if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
      return trouble("copy to", target, errno);
    break;  // not between these two file systems: by hand
  }
  std::string piece(std::size_t{1} << 20, '\0');
  for (;;) {
    const auto got = ::read(from, piece.data(), piece.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trouble("read", source, errno);
    for (ssize_t done = 0; done < got;) {
      const auto put = ::write(to, piece.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return trouble("write", target, errno);
      done += put;
    }
  }
}

bool same_content(int a, int b) {
  std::string left(std::size_t{1} << 20, '\0'), right = left;
  for (off_t at = 0;;) {
    const auto first = ::pread(a, left.data(), left.size(), at);
    const auto second = ::pread(b, right.data(), right.size(), at);
    if (first < 0 || first != second ||
        std::memcmp(left.data(), right.data(), static_cast<std::size_t>(first)) != 0)
      return false;
    if (first == 0) return true;
    at += first;
  }
}

// Whether `to`, which exists, is what `from` is.
result<void> settle(int from, const struct stat& source, const fs::path& to) {
  struct stat target{};
  const descriptor there{::open(to.c_str(), O_RDONLY | O_CLOEXEC)};
  if (there.number < 0 || ::fstat(there.number, &target) != 0) return trouble("open", to, errno);
  const bool same_file = source.st_dev == target.st_dev && source.st_ino == target.st_ino;
  if (same_file || (source.st_size == target.st_size && same_content(from, there.number))) return {};
  return fail(error_kind::refused,
              fmt::format("{} is there already and is another file; choose another name, or remove it first",
                          to.string()));
}

}  // namespace

result<void> install_file(const fs::path& from, const fs::path& to) {
  const descriptor source{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat what{};
  if (source.number < 0 || ::fstat(source.number, &what) != 0) return trouble("open", from, errno);
  std::error_code none;
  if (fs::exists(to, none)) return settle(source.number, what, to);

  draft made(to);
  if (made.name.empty()) return trouble("write in", to.parent_path(), errno);
  if (::ioctl(made.file.number, FICLONE, source.number) != 0) {
    // Through the open file, not its name: the name may be a link, or lead elsewhere by now.
    const auto held = fmt::format("/proc/self/fd/{}", source.number);
    if (::linkat(AT_FDCWD, held.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
    if (auto ok = copy_bytes(source.number, made.file.number, from, to); !ok) return ok;
  }
  ::fchmod(made.file.number, 0644);
  if (::fsync(made.file.number) != 0) return trouble("write", to, errno);
  if (::renameat2(AT_FDCWD, made.name.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return settle(source.number, what, to);
    // A file system without RENAME_NOREPLACE: a hard link does not replace either, and the draft goes by itself.
    if (errno != EINVAL || ::link(made.name.c_str(), to.c_str()) != 0) return trouble("make", to, errno);
  }
  return {};
}

result<void> replace_link(const fs::path& link, const fs::path& target) {
  std::error_code none;
  const auto there = fs::symlink_status(link, none);
  if (fs::exists(there) && !fs::is_symlink(there))
    return fail(error_kind::refused,
                fmt::format("{} is a file of its own and not a link; rename it first", link.string()));
  draft made(link);
  if (made.name.empty()) return trouble("write in", link.parent_path(), errno);
  ::unlink(made.name.c_str());
  if (::symlink(target.c_str(), made.name.c_str()) != 0 || ::rename(made.name.c_str(), link.c_str()) != 0)
    return trouble("make", link, errno);
  return {};
}

}  // namespace meshai::engine
