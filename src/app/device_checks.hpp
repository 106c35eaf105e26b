// app: what meshai doctor looks at on the device itself, without asking anybody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/config.hpp"
#include "app/finding.hpp"
#include "app/paths.hpp"

namespace meshai::app {

// Certificates are judged by it.
finding look_at_clock();
// Where engine and models lie.
finding look_at_disk(const paths& where);
// `needed`: bytes of the models that a start would load.
finding look_at_memory(std::uint64_t needed);
// The llama-server that would be started.
finding look_at_engine(const paths& where);
// Adds what a start would load to `needed`.
finding look_at_model(const paths& where, const std::string& name, std::uint64_t& needed);
// Whether it can be read, and by whom.
finding look_at_secret(const std::string& what, const secret_source& source);

// Which program listens at this TCP port here, as "name (process 123)"; nothing where that cannot be seen: another
// user's program hides its descriptors.
std::optional<std::string> who_listens(std::uint16_t port);

}  // namespace meshai::app
