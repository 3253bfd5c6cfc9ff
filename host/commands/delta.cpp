// rhizome delta: the delta format's tools as JSON Lines filters; and rhizome keygen.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands/command.hpp"
#include "tools/delta_tools.hpp"

namespace rhizome::commands {

int delta(const std::vector<std::string>& arguments) {
  const std::string tool = arguments.empty() ? "--help" : arguments[0];
  std::string seed;
  bool json = false;
  Options options(
      "delta " + (tool[0] == '-' ? "encode|decode|sign|verify|digest" : tool),
      "The delta format's tools: JSON Lines on standard input, one line out for each line "
      "in. encode: claims to id and canonical CBOR. decode: the way back. sign: claims "
      "without author to a signed delta. verify: a verdict a delta. digest: the set's digest.",
      R"(echo '{"author":"a","timestamp":0,"pointers":[{"role":"r","target":1}]}' | rhizome delta encode)");
  options.text("--seed", seed, "sign: the key's seed file (rhizome keygen makes one)");
  options.flag("--json", json, "Lines are JSON with or without it; a failure to start too with it");
  int exit_code = kDone;
  const std::vector<std::string> rest(
      arguments.empty() ? arguments.end() : arguments.begin() + (tool[0] == '-' ? 0 : 1),
      arguments.end());
  if (!options.parse(rest, exit_code)) return exit_code;
  std::ios::sync_with_stdio(false);
  if (tool == "encode") return tools::delta_encode(std::cin, std::cout);
  if (tool == "decode") return tools::delta_decode(std::cin, std::cout);
  if (tool == "verify") return tools::delta_verify(std::cin, std::cout);
  if (tool == "digest") return tools::delta_digest(std::cin, std::cout);
  if (tool == "sign") {
    if (seed.empty()) {
      std::fprintf(stderr,
                   "rhizome delta sign: expected --seed FILE; `rhizome keygen FILE` makes one\n");
      return kUsage;
    }
    const Result<SigningKey> key = SigningKey::load(seed);
    return key.ok() ? tools::delta_sign(*key, std::cin, std::cout)
                    : fail("delta sign", key.status(), json);
  }
  std::fprintf(stderr,
               "rhizome delta: expected encode, decode, sign, verify or digest; see --help\n");
  return kUsage;
}

int keygen(const std::vector<std::string>& arguments) {
  std::string file;
  bool json = false;
  Options options("keygen", "Makes an Ed25519 key: its seed goes to the file, mode 0600.",
                  "rhizome keygen author.key");
  options.text("FILE", file, "The seed file to make").required();
  options.flag("--json", json, "Print JSON");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  const SigningKey key = SigningKey::generate();
  if (const Status saved = key.save(file); !saved.ok()) return fail("keygen", saved, json);
  if (json)
    std::printf("%s\n", nlohmann::json{{"key", key.author()}, {"file", file}}.dump().c_str());
  else
    std::printf("%s\n", key.author().c_str());
  return kDone;
}

}  // namespace rhizome::commands
