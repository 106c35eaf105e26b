// crypto: what keys are kept as. OpenSSL does the work.
#pragma once

#include <array>
#include <string_view>

namespace meshai::crypto {

using digest = std::array<unsigned char, 32>;

// SHA-256 (FIPS 180-4). Enough for what is random and long; a password would want a slow hash.
digest sha256(std::string_view text);

}  // namespace meshai::crypto
