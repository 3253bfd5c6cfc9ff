// The process's file descriptors: the limit, how many are open, and the first three. Called as a
// process starts and for `rhizome status`.
#pragma once

#include <cstdint>
#include <optional>

namespace rhizome {

// Opens /dev/null in the place of each of descriptors 0 to 2 that is closed. Else the next file
// that is opened becomes standard error, and log lines land inside it. REQUIRES: before any file is
// opened.
void open_standard_descriptors();

// Raises the soft limit to the hard one, at most to 65,536: the soft one is 1,024 on most systems,
// for the sake of programs that call select(), which nothing here does. Where it fails, the limit
// stays as it is.
void raise_descriptor_limit();

struct DescriptorUse {
  std::uint64_t open = 0, limit = 0;
};
// Empty where the system does not tell. With none left to look with, `open` is the limit. Any
// thread.
std::optional<DescriptorUse> descriptor_use();

}  // namespace rhizome
