// app: completion scripts and the manual page, made from the command line's own description so that they stay
// true.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace meshai::app {

// `shell` is bash, zsh or fish.
std::string completion(const CLI::App& app, std::string_view shell);
std::string manual_page(const CLI::App& app);

}  // namespace meshai::app
