#include "env/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace meshai::env {
namespace {

std::string escape(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string render_labels(const labels& of) {
  if (of.empty()) return {};
  std::string out = "{";
  for (const auto& [name, value] : of) {
    if (out.size() > 1) out += ',';
    fmt::format_to(std::back_inserter(out), "{}=\"{}\"", name, escape(value));
  }
  return out + "}";
}

// Joins a series' labels with one more: histograms carry `le`.
std::string with_le(const std::string& rendered, std::string_view le) {
  if (rendered.empty()) return fmt::format("{{le=\"{}\"}}", le);
  return fmt::format("{},le=\"{}\"}}", std::string_view(rendered).substr(0, rendered.size() - 1), le);
}

template <class Families, class... Args>
auto& get_or_create(std::mutex& mutex, Families& families, std::string_view name, std::string_view help,
                    const labels& of, Args&&... args) {
  const std::lock_guard lock(mutex);
  auto found = families.find(name);
  if (found == families.end()) found = families.try_emplace(std::string(name)).first;
  auto& family = found->second;
  if (family.help.empty()) family.help = help;
  auto& slot = family.series[render_labels(of)];
  if (!slot)
    slot = std::make_unique<typename std::decay_t<decltype(slot)>::element_type>(std::forward<Args>(args)...);
  return *slot;
}

template <class Families>
void render_plain(std::string& out, const Families& families, std::string_view type) {
  for (const auto& [name, family] : families) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, type);
    for (const auto& [of, metric] : family.series) {
      fmt::format_to(std::back_inserter(out), "{}{} {}\n", name, of, metric->value());
    }
  }
}

}  // namespace

histogram::histogram(std::span<const double> upper_bounds)
    : bounds_(upper_bounds.begin(), upper_bounds.end()),
      buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

void histogram::observe(double value) {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

counter& metrics::get_counter(std::string_view name, std::string_view help, const labels& of) {
  return get_or_create(mutex_, counters_, name, help, of);
}

gauge& metrics::get_gauge(std::string_view name, std::string_view help, const labels& of) {
  return get_or_create(mutex_, gauges_, name, help, of);
}

histogram& metrics::get_histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                  const labels& of) {
  return get_or_create(mutex_, histograms_, name, help, of, bounds);
}

std::string metrics::render() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  render_plain(out, counters_, "counter");
  render_plain(out, gauges_, "gauge");
  for (const auto& [name, family] : histograms_) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} histogram\n", name, family.help, name);
    for (const auto& [of, metric] : family.series) {
      std::uint64_t below = 0;
      for (std::size_t i = 0; i < metric->bounds_.size(); ++i) {
        below += metric->buckets_[i].load(std::memory_order_relaxed);
        fmt::format_to(std::back_inserter(out), "{}_bucket{} {}\n", name,
                       with_le(of, fmt::format("{}", metric->bounds_[i])), below);
      }
      below += metric->buckets_[metric->bounds_.size()].load(std::memory_order_relaxed);
      fmt::format_to(std::back_inserter(out), "{}_bucket{} {}\n{}_sum{} {}\n{}_count{} {}\n", name,
                     with_le(of, "+Inf"), below, name, of, metric->sum_.load(std::memory_order_relaxed), name, of,
                     below);
    }
  }
  return out;
}

}  // namespace meshai::env
