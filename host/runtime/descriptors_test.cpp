#include "runtime/descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace rhizome {
namespace {

// Runs `check` in a process of its own: its descriptors and limits are not the tests'.
template <typename Check>
bool in_a_child(Check check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check() ? 0 : 1);
  int state = 0;
  return ::waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

TEST(Descriptors, AFileOpenedAfterwardsIsNeverStandardError) {
  EXPECT_TRUE(in_a_child([] {
    ::close(0);
    ::close(2);
    open_standard_descriptors();
    struct stat null {
    }, error{};
    return ::open("/dev/zero", O_RDONLY) > 2 && ::stat("/dev/null", &null) == 0 &&
           ::fstat(2, &error) == 0 && null.st_rdev == error.st_rdev;
  }));
}

TEST(Descriptors, TheSoftLimitBecomesTheHardOne) {
  EXPECT_TRUE(in_a_child([] {
    const rlimit low{64, 128};
    ::setrlimit(RLIMIT_NOFILE, &low);
    raise_descriptor_limit();
    return descriptor_use()->limit == 128;
  }));
}

TEST(Descriptors, OneMoreOpenIsOneMoreCountedAndWithNoneLeftAllAreUsed) {
  EXPECT_TRUE(in_a_child([] {
    const rlimit low{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &low);
    const std::uint64_t before = descriptor_use()->open;
    const int one = ::open("/dev/null", O_RDONLY);
    const bool counted = descriptor_use()->open == before + 1;
    while (::open("/dev/null", O_RDONLY) >= 0) {
    }
    return one >= 0 && counted && descriptor_use()->open == 64;
  }));
}

}  // namespace
}  // namespace rhizome
