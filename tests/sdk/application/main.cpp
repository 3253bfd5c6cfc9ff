// Uses librhizome-delta and librhizome-client as installed: the hash of nothing, and a node that is
// not there.
#include <cstdio>

#include "rhizome/client.hpp"
#include "rhizome/delta/id.hpp"

int main() {
  const rhizome::Hash256 hash = rhizome::blake3("");
  const std::string hex = rhizome::to_hex(rhizome::view(hash.data(), hash.size()));
  std::printf("%s\n", hex.c_str());
  const bool known = hex == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
  auto client = rhizome::client::Client::open("/nonexistent/control.sock");
  const rhizome::Status none = client->get("movie:matrix").status();
  std::printf("%s\n", none.to_string().c_str());
  return known && none.code() == rhizome::Code::kNotFound ? 0 : 1;
}
