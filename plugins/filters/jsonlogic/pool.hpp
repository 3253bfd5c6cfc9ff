// Memory of compiled filters, which a node may hold a million of and asks thousands of a delta: in
// whole cache lines, filters of one size next to each other on huge pages. Any thread.
#pragma once

#include <cstddef>

namespace rhizome::jsonlogic {

inline constexpr std::size_t kLine = 64;

// Throws std::bad_alloc, as operator new does.
void* take_lines(std::size_t lines);
// REQUIRES: `memory` is of take_lines(lines).
void give_lines(void* memory, std::size_t lines);

}  // namespace rhizome::jsonlogic
