// Networks of addresses: what counts as one, what as none.
#include "fabric/groups.hpp"

#include <gtest/gtest.h>

namespace rhizome {
namespace {

TEST(NetworkGroup, AnIpv4NetworkIsItsFirstTwoBytes) {
  EXPECT_EQ(network_group("192.0.2.7"), network_group("192.0.99.1"));
  EXPECT_NE(network_group("192.0.2.7"), network_group("192.1.2.7"));
}

TEST(NetworkGroup, AnIpv6NetworkIsItsFirstFourBytes) {
  EXPECT_EQ(network_group("2001:db8:1::1"), network_group("2001:db8:ffff::2"));
  EXPECT_NE(network_group("2001:db8::1"), network_group("2001:db9::1"));
}

TEST(NetworkGroup, AMappedIpv4AddressIsTheOneItMaps) {
  EXPECT_EQ(network_group("::ffff:192.0.2.7"), network_group("192.0.2.7"));
}

TEST(NetworkGroup, TheMachineItselfAndWhatIsNoAddressAreNoNetwork) {
  for (const char* none : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "", "a.host",
                           "192.0.2.7:7000", "192.0.2"})
    EXPECT_EQ(network_group(none), "") << none;
}

}  // namespace
}  // namespace rhizome
