// The functions that are watched, each handing on to the C library's. See watch.hpp.
#include "watch.hpp"

#include <dlfcn.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>

namespace rhizome::conformance {
namespace {

thread_local bool watching = false;
thread_local const char* seen = nullptr;

template <typename Function>
Function original(Function, const char* name) {
  if (watching && seen == nullptr) seen = name;
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void watch_begin() {
  seen = nullptr;
  watching = true;
}
const char* watch_end() {
  watching = false;
  return seen;
}

bool watch_works() {
#ifdef RHIZOME_WATCHES
  return true;
#else
  return false;
#endif
}

}  // namespace rhizome::conformance

#ifdef RHIZOME_WATCHES
using rhizome::conformance::original;

// Seen by the plugins that this program loads, whatever the visibility of its own code.
#pragma GCC visibility push(default)
extern "C" {
int clock_gettime(clockid_t clock, timespec* at) noexcept {
  return original(&clock_gettime, "clock_gettime")(clock, at);
}
int gettimeofday(timeval* __restrict at, void* __restrict zone) noexcept {
  return original(&gettimeofday, "gettimeofday")(at, zone);
}
time_t time(time_t* at) noexcept { return original(&time, "time")(at); }
int rand() noexcept { return original(&rand, "rand")(); }
long random() noexcept { return original(&random, "random")(); }
ssize_t getrandom(void* to, std::size_t size, unsigned flags) {
  return original(&getrandom, "getrandom")(to, size, flags);
}
int getentropy(void* to, std::size_t size) { return original(&getentropy, "getentropy")(to, size); }
}
#pragma GCC visibility pop
#endif
