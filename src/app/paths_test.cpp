#include "app/paths.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace meshai::app {
namespace fs = std::filesystem;
namespace {

class paths_in_a_folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "meshai-paths-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (const auto* name : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
      const char* value = std::getenv(name);
      saved_.emplace_back(name, value ? std::optional<std::string>(value) : std::nullopt);
      ::unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : saved_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
    fs::remove_all(folder_);
  }

  fs::path folder_;
  std::vector<std::pair<std::string, std::optional<std::string>>> saved_;
};

unsigned mode_of(const fs::path& file) {
  struct stat is{};
  EXPECT_EQ(::stat(file.c_str(), &is), 0);
  return is.st_mode & 0777;
}

TEST_F(paths_in_a_folder, home_is_needed) {
  ASSERT_FALSE(find_paths());
  ::setenv("HOME", folder_.c_str(), 1);
  EXPECT_EQ(find_paths()->data, folder_ / ".local/share/meshai");
  EXPECT_EQ(find_paths()->config_file(), folder_ / ".config/meshai/meshai.toml");
}

TEST_F(paths_in_a_folder, xdg_variables_win_and_relative_ones_are_ignored) {
  ::setenv("HOME", folder_.c_str(), 1);
  ::setenv("XDG_DATA_HOME", "/elsewhere", 1);
  ::setenv("XDG_STATE_HOME", "relative", 1);
  EXPECT_EQ(find_paths()->data, "/elsewhere/meshai");
  EXPECT_EQ(find_paths()->state, folder_ / ".local/state/meshai");
}

TEST_F(paths_in_a_folder, a_runtime_folder_that_is_not_there_is_not_used) {
  ::setenv("HOME", folder_.c_str(), 1);
  ::setenv("XDG_RUNTIME_DIR", (folder_ / "none").c_str(), 1);
  EXPECT_EQ(find_paths()->runtime, "/tmp/meshai-" + std::to_string(::getuid()));
  ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  EXPECT_EQ(find_paths()->runtime, folder_ / "meshai");
}

TEST_F(paths_in_a_folder, a_private_folder_is_closed_to_others) {
  const auto made = folder_ / "a" / "b";
  ASSERT_TRUE(make_private(made));
  EXPECT_EQ(mode_of(made), 0700u);
  ASSERT_EQ(::chmod(made.c_str(), 0755), 0);
  ASSERT_TRUE(make_private(made));
  EXPECT_EQ(mode_of(made), 0700u);
  fs::create_directory_symlink(made, folder_ / "link");
  EXPECT_FALSE(make_private(folder_ / "link"));
}

TEST_F(paths_in_a_folder, files_are_replaced_whole_and_read_bounded) {
  const auto file = folder_ / "key";
  ASSERT_TRUE(write_file(file, "one", 0600));
  ASSERT_TRUE(write_file(file, "two!", 0600));
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(*read_file(file, 4), "two!");
  EXPECT_EQ(read_file(file, 3).error().kind, error_kind::exhausted);
  EXPECT_FALSE(read_file(folder_ / "none", 3));
  EXPECT_FALSE(write_file(folder_ / "none" / "key", "x", 0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace meshai::app
