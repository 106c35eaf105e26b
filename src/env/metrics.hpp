// env: counters for the operator, in Prometheus' text form. Names and label values are our own or the operator's.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meshai::env {

class counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class gauge {
 public:
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Buckets in seconds, fixed at creation.
class histogram {
 public:
  explicit histogram(std::span<const double> upper_bounds);
  void observe(double value);

 private:
  friend class metrics;
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;  // one more than bounds_: the last is +Inf
  std::atomic<double> sum_{0};
};

using labels = std::vector<std::pair<std::string, std::string>>;

// The registry. get-or-create takes a lock: keep the reference, which stays good as long as the registry.
// Thread-safe.
class metrics {
 public:
  counter& get_counter(std::string_view name, std::string_view help, const labels& = {});
  gauge& get_gauge(std::string_view name, std::string_view help, const labels& = {});
  histogram& get_histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                           const labels& = {});
  // Prometheus text exposition format 0.0.4.
  std::string render() const;

 private:
  template <class Metric>
  struct family_of {
    std::string help;
    std::map<std::string, std::unique_ptr<Metric>> series;  // by rendered labels, "" or {a="b"}
  };
  mutable std::mutex mutex_;
  std::map<std::string, family_of<counter>, std::less<>> counters_;
  std::map<std::string, family_of<gauge>, std::less<>> gauges_;
  std::map<std::string, family_of<histogram>, std::less<>> histograms_;
};

}  // namespace meshai::env
