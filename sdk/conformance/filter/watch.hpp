// Sees whether a plugin asks the system for time or chance: this program has those functions under
// their own names, before the C library's. One thread.
#pragma once

namespace rhizome::conformance {

// Whether calls are seen: not under a sanitizer, which has such functions of its own.
bool watch_works();
void watch_begin();
// The name of the first function that was called since; nullptr: none.
const char* watch_end();

}  // namespace rhizome::conformance
