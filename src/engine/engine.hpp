// engine: the model on this device: which models lie on the disk, and the llama-server that runs one of them.
//
// A supervisor belongs to one node of kind "engine". It keeps one llama-server alive on a Unix socket in a folder
// that only this user may enter, and says whether it answers. Requests are not its business: whoever has one dials
// address() and speaks OpenAI's protocol, after apply() has filled in what the model's profile says.
#pragma once

#include "engine/catalogue.hpp"
#include "engine/gguf.hpp"
#include "engine/profile.hpp"
#include "engine/program.hpp"
#include "engine/supervisor.hpp"
