// Networks of addresses.
#include "fabric/groups.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace rhizome {

namespace {

constexpr std::size_t kPrefix4 = 2, kPrefix6 = 4;  // bytes

std::string group_of_ipv4(const unsigned char* bytes) {
  if (bytes[0] == 127) return {};
  return std::string("4").append(reinterpret_cast<const char*>(bytes), kPrefix4);
}

}  // namespace

std::string network_group(std::string_view address) {
  const std::string text(address.substr(0, INET6_ADDRSTRLEN));
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1) return group_of_ipv4(bytes);
  if (inet_pton(AF_INET6, text.c_str(), bytes) != 1) return {};
  const bool begins_with_zeros = std::all_of(bytes, bytes + 10, [](auto b) { return b == 0; });
  if (begins_with_zeros && bytes[10] == 0xff && bytes[11] == 0xff) return group_of_ipv4(bytes + 12);
  if (std::all_of(bytes, bytes + 15, [](auto b) { return b == 0; }) && bytes[15] == 1) return {};
  return std::string("6").append(reinterpret_cast<const char*>(bytes), kPrefix6);
}

}  // namespace rhizome
