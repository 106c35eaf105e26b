// os: what this process takes of the machine.
#pragma once

#include "env/metrics.hpp"

namespace meshai::os {

// Sets the gauges that Prometheus' own clients have for a process: process_resident_memory_bytes, process_open_fds,
// process_max_fds, process_cpu_seconds_total. Reads /proc/self; takes some tens of microseconds.
void measure_process(env::metrics& into);

}  // namespace meshai::os
