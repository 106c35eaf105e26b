// ledger: what callers may spend, and what they have spent. Pure: it is told the time, reads nothing and writes
// nothing.
#pragma once

#include "ledger/book.hpp"
#include "ledger/cost.hpp"
#include "ledger/window.hpp"
