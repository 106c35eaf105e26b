// wire: bytes <-> messages, without sockets, clocks or threads.
#pragma once

#include "wire/http1.hpp"
#include "wire/http1_write.hpp"
#include "wire/sse.hpp"
