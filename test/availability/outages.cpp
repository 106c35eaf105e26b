#include "outages.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <numbers>

namespace meshai::availability {
namespace {

nanoseconds of_hours(double hours) {
  return nanoseconds(static_cast<std::int64_t>(hours * 3.6e12));
}
nanoseconds of_seconds(double seconds) {
  return nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

}  // namespace

// splitmix64: the standard's distributions differ from library to library.
double dice::unit() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return (static_cast<double>((z ^ z >> 31) >> 11) + 0.5) * 0x1.0p-53;
}

// Box and Muller, 1958.
double dice::normal() {
  const double radius = std::sqrt(-2 * std::log(unit()));
  return radius * std::cos(2 * std::numbers::pi * unit());
}

std::vector<outage> draw(const habits& of, nanoseconds span, dice& with) {
  std::vector<outage> out;
  nanoseconds at{0};
  for (;;) {
    at += of_hours(-std::log(with.unit()) * of.days_between * 24);
    if (at >= span) return out;
    const auto lasts = of_hours(std::exp(of.log_hours_mean + of.log_hours_deviation * with.normal()));
    const double grade = with.unit();
    const double failing = grade < of.minor              ? failing_in_minor
                           : grade < of.minor + of.major ? failing_in_major
                                                         : failing_in_critical;
    out.push_back({at, at + lasts, failing});
  }
}

double failing_at(const std::vector<outage>& all, nanoseconds when) {
  double worst = 0;
  for (const auto& each : all) {
    if (each.begin <= when && when < each.end) worst = std::max(worst, each.failing);
  }
  return worst;
}

std::vector<recorded> read_recording(const std::string& file) {
  std::vector<recorded> out;
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    const auto read = boost::json::parse(text).as_object();
    const auto name = std::string(read.at("node").as_string());
    auto found = std::ranges::find(out, name, &recorded::node);
    if (found == out.end()) found = out.insert(out.end(), {name, {}});
    found->outages.push_back(
        {of_seconds(read.at("down").to_number<double>()), of_seconds(read.at("up").to_number<double>()), 1});
  }
  return out;
}

}  // namespace meshai::availability
