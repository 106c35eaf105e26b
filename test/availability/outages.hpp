// When a provider is out of order, and how badly: drawn from what is published of the real ones, or recorded.
//
// Parameters: the status pages of two providers as collected by Chu, Talluri, Lu and Iosup, "An Empirical
// Characterization of Outages and Incidents in Public Services for Large Language Models", ICPE 2025 (data:
// zenodo.org/records/14018219): all incidents of the API with an impact from 2023-09-01 to 2024-08-31. Their times
// between beginnings have these means, the logarithms of their durations these moments.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace meshai::availability {

using std::chrono::nanoseconds;

struct outage {
  nanoseconds begin{}, end{};
  double failing = 1;  // share of requests
};

struct habits {
  std::string name;
  double days_between;                         // the mean, from one beginning to the next; exponential
  double log_hours_mean, log_hours_deviation;  // of the duration; log-normal
  double minor, major;                         // shares of the incidents; the others are critical
};

// 70 incidents: 35 minor, 28 major, 7 critical; median 1.4 h, mean 3.0 h.
inline const habits openai{"OpenAI", 5.24, 0.327, 1.199, 0.50, 0.40};
// 48 incidents: 23 minor, 25 major; median 0.8 h, mean 2.7 h.
inline const habits anthropic{"Anthropic", 6.84, -0.103, 1.217, 0.48, 0.52};
// Assumptions of ours, without a source: the household's line fails every two weeks for a median of ten minutes;
// the engine on this device ends once a week and is back after two seconds.
inline const habits line{"the line", 14, -1.79, 1.2, 0, 0};
inline const habits engine{"the engine", 7, -7.5, 0.3, 0, 0};

// What share of the requests fails in an incident of each grade: an assumption too, since status pages give words.
inline constexpr double failing_in_minor = 0.1, failing_in_major = 0.5, failing_in_critical = 1;

class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  double unit();  // in (0, 1)
  double normal();
  bool chance(double of) { return unit() < of; }

 private:
  std::uint64_t state_;
};

std::vector<outage> draw(const habits& of, nanoseconds span, dice& with);

// The worst share at that time; 0: all is well.
double failing_at(const std::vector<outage>& all, nanoseconds when);

struct recorded {
  std::string node;
  std::vector<outage> outages;
};
// JSON lines {"node": "f1", "down": seconds, "up": seconds}; empty where there is no such file.
std::vector<recorded> read_recording(const std::string& file);

}  // namespace meshai::availability
