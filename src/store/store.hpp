// store: what outlives the process, in SQLite: keys, and what they spent. Every call may wait for the disk: never
// on an event loop, always on env::pool.
#pragma once

#include "store/database.hpp"
#include "store/keys.hpp"
#include "store/ledger_file.hpp"
#include "store/lessons.hpp"
#include "store/spending.hpp"
