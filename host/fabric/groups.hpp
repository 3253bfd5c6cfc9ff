// Which network an address belongs to: what one party can have many addresses of. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace rhizome {

// The /16 of an IPv4 address, the /32 of an IPv6 one, as bytes that are equal for equal networks;
// empty for what is no numeric address, and for the machine's own (loopback).
std::string network_group(std::string_view address);

}  // namespace rhizome
