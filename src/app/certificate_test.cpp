#include "app/certificate.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/sim.hpp"

namespace meshai::app {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct certificates : testing::Test {
  certificates() {
    write("cert.pem", "one");
    write("key.pem", "one");
    EXPECT_TRUE(shown.read());
  }
  ~certificates() override { fs::remove_all(folder); }

  static fs::path make_folder() {
    auto pattern = (fs::temp_directory_path() / "meshai-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  void write(const std::string& name, std::string_view text) { std::ofstream(folder / name) << text; }
  void pass(std::chrono::nanoseconds span) {
    bool over = false;
    pretend.spawn([](env::world in, std::chrono::nanoseconds time, bool& flag) -> task<void> {
      co_await in.clock.sleep_until(in.clock.now() + time);
      flag = true;
    }(us.world(), span, over));
    pretend.run([&] { return over; });
  }

  sim::simulation pretend{{}};
  sim::host& us = pretend.add_host("us", "10.0.0.1");
  fs::path folder = make_folder();
  certificate shown{us.world(), folder / "cert.pem", folder / "key.pem"};
};

TEST_F(certificates, stay_while_their_files_do) {
  const auto first = shown.current();
  ASSERT_TRUE(first);
  pass(1h);
  EXPECT_EQ(shown.current(), first);
}

TEST_F(certificates, are_read_anew_when_either_file_changes) {
  auto before = shown.current();
  for (const auto* name : {"cert.pem", "key.pem"}) {
    write(name, "another");
    EXPECT_EQ(shown.current(), before) << "looked at once a second";
    pass(1s);
    EXPECT_NE(shown.current(), before) << name;
    before = shown.current();
  }
}

TEST_F(certificates, are_read_anew_when_an_older_file_of_the_same_size_takes_their_place) {
  const auto before = shown.current();
  write("renewed.pem", "two");
  fs::last_write_time(folder / "renewed.pem", fs::last_write_time(folder / "cert.pem"));
  fs::rename(folder / "renewed.pem", folder / "cert.pem");
  pass(1s);
  EXPECT_NE(shown.current(), before);
}

}  // namespace
}  // namespace meshai::app
