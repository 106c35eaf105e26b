#include "base/secret.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace meshai {

void wipe_memory(void* bytes, std::size_t size) {
  ::explicit_bzero(bytes, size);
}

secret::secret(std::string_view text) : bytes_(new char[text.size()], wipe(text.size())), size_(text.size()) {
  // Locking is a courtesy of the system (RLIMIT_MEMLOCK); without it the secret still works and is still wiped.
  (void)::mlock(bytes_.get(), size_);
  std::copy(text.begin(), text.end(), bytes_.get());
}

bool secret::equals(std::string_view other) const {
  if (other.size() != size_) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    difference = static_cast<unsigned char>(difference | (bytes_[i] ^ other[i]));
  }
  return difference == 0;
}

void secret::wipe::operator()(char* bytes) const {
  wipe_memory(bytes, size);
  (void)::munlock(bytes, size);
  delete[] bytes;
}

}  // namespace meshai
