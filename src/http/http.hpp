// http: one HTTP/1.1 connection over a stream: client with pool, server, deadlines, limits.
#pragma once

#include "http/client.hpp"
#include "http/server.hpp"
#include "http/url.hpp"
