// Uses librhizome-delta and librhizome-client as installed: a hash that everybody knows, and a node
// that is not there.
#include <cstdio>

#include "rhizome/client.hpp"
#include "rhizome/delta/id.hpp"

int main() {
  const rhizome::Hash256 hash = rhizome::blake3("");
  const std::string hex = rhizome::to_hex(rhizome::view(hash.data(), hash.size()));
  std::printf("%s\n", hex.c_str());
  const bool known = hex == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
  const auto client = rhizome::Client::connect("/nonexistent/control.sock");
  std::printf("%s\n", client.status().to_string().c_str());
  return known && client.code() == rhizome::Code::kNotFound ? 0 : 1;
}
