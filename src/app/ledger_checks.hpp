// app: what is known of the ledger without a node: whether keys were made, and whether it can be read and written.
#pragma once

#include "app/finding.hpp"
#include "app/paths.hpp"

namespace meshai::app {

// `meshai key` has made some, or it cannot be known: either way nobody comes in without one.
bool keys_were_issued(const paths& where);

finding look_at_ledger(const paths& where);

}  // namespace meshai::app
