#include "crypto/crypto.hpp"

#include <gtest/gtest.h>

#include <string>

namespace meshai::crypto {
namespace {

std::string hex(const digest& of) {
  std::string out;
  for (const auto byte : of) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

// The examples of FIPS 180.
TEST(sha256, of_known_texts) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace meshai::crypto
