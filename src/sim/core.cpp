#include "sim/core.hpp"

namespace meshai::sim {

core::alarm_id core::at(instant when, std::move_only_function<void()> ring) {
  const alarm_id id{std::max(when, now), ++alarms_set};
  if (when != never && !ending) alarms.emplace(id, std::move(ring));
  return id;
}

void core::note(std::string_view what, std::initializer_list<std::uint64_t> numbers, std::string_view bytes) {
  constexpr std::uint64_t prime = 0x100000001b3;
  const auto mix = [this](unsigned char byte) { trace = (trace ^ byte) * prime; };
  const auto mix_number = [&mix](std::uint64_t number) {
    for (int i = 0; i < 64; i += 8) mix(static_cast<unsigned char>(number >> i));
  };
  mix_number(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  for (const char c : what) mix(static_cast<unsigned char>(c));
  for (const auto number : numbers) mix_number(number);
  mix_number(bytes.size());
  for (const char c : bytes) mix(static_cast<unsigned char>(c));
}

link& core::between(const std::string& from, const std::string& to) {
  return links.try_emplace({from, to}, from == to ? how.within : how.between).first->second;
}

}  // namespace meshai::sim
