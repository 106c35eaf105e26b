// route: who answers, and when to stop. Pure: no I/O, no clock, no dice; it is told the time, a seed and an event.
#pragma once

#include "route/complexity.hpp"
#include "route/conversations.hpp"
#include "route/directory.hpp"
#include "route/experience.hpp"
#include "route/explain.hpp"
#include "route/failover.hpp"
#include "route/fault.hpp"
#include "route/health.hpp"
#include "route/language.hpp"
#include "route/limits.hpp"
#include "route/memory.hpp"
#include "route/near_names.hpp"
#include "route/prompt_size.hpp"
#include "route/rank.hpp"
#include "route/repetition.hpp"
#include "route/seam.hpp"
