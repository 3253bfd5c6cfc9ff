// Over setrlimit and /proc/self/fd.
#include "runtime/descriptors.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rhizome {

void open_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest one that is free: this one, since those below it are open by now.
    if (::open("/dev/null", O_RDWR) != descriptor) return;
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  constexpr rlim_t kMost = 65'536;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min(limit.rlim_max, kMost);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<DescriptorUse> descriptor_use() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  DescriptorUse use{0, limit.rlim_cur};
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {
    if (errno != EMFILE) return std::nullopt;
    use.open = use.limit;
    return use;
  }
  while (::readdir(directory) != nullptr) ++use.open;
  ::closedir(directory);
  use.open -= use.open < 3 ? use.open : 3;  // ".", ".." and the directory's own
  return use;
}

}  // namespace rhizome
