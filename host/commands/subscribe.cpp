// rhizome subscribe: what is held, then what comes, here or at a peer.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "commands/rows.hpp"

namespace rhizome::commands {

namespace {

using nlohmann::json;

// Where a subscription's token is kept, so that the next run goes on behind it.
class TokenFile {
 public:
  explicit TokenFile(std::string path) : path_(std::move(path)) {}

  std::string read() const {
    std::string token;
    std::ifstream file(path_);
    std::getline(file, token);
    return token;
  }
  // Whole or not at all, whenever this process ends.
  Status write(const std::string& token) const {
    const std::string fresh = path_ + ".new";
    errno = 0;
    std::ofstream file(fresh, std::ios::trunc);
    file << token << '\n';
    file.close();
    if (!file) return {Code::kIo, fresh + " cannot be written: " + std::strerror(errno)};
    std::error_code error;
    std::filesystem::rename(fresh, path_, error);
    if (error) return {Code::kIo, path_ + " cannot be written: " + error.message()};
    return {};
  }
  bool is_kept() const { return !path_.empty(); }

 private:
  const std::string path_;
};

// One answer of the node: its rows to standard output, then its token to the file. False ends the
// subscription; `problem` is why, where it is not standard output.
bool print(const Reply& reply, const TokenFile& tokens, bool verbose, Status& problem) {
  const json header = json::parse(reply.header, nullptr, false);
  if (!put(reply.blob)) return false;  // and the token stays behind these rows
  if (!header.is_object()) return true;
  for (const json& range : header.value("dropped", json::array()))
    std::fprintf(stderr, "rhizome subscribe: dropped %llu between positions %llu and %llu\n",
                 range.value("count", 0ull), range.value("from", 0ull), range.value("to", 0ull));
  if (const auto refused = header.value("refused", 0ull); refused != 0)
    std::fprintf(stderr, "rhizome subscribe: %llu deltas of the peer did not check out\n", refused);
  const std::string token = header.value("resume", "");
  if (token.empty()) return true;
  if (verbose) std::fprintf(stderr, "resume %s\n", token.c_str());
  if (tokens.is_kept()) problem = tokens.write(token);
  return problem.ok();
}

}  // namespace

int subscribe(const std::vector<std::string>& arguments) {
  RowOptions q;
  bool now = false, tokens = false;
  std::string resume, file, policy;
  std::uint64_t queue_limit = 0;
  Options options("subscribe",
                  "Follows deltas: what is held, then what comes, without gap or repetition.",
                  "rhizome subscribe --context name --now --node ./a");
  q.add_to(options);
  options.flag("--now", now, "Only what comes from now on");
  options.text("--peer", q.peer, "Follow a peer's journal, by its name or key, through this node");
  options.text("--resume", resume, "Go on behind this token");
  options.text("--resume-file", file, "Go on behind the token in this file, and keep it there");
  options.flag("--tokens", tokens, "Print each token to standard error");
  options.text("--policy", policy,
               "For a slow reader: block (default), drop_oldest, drop_newest, error");
  options.number("--queue-limit", queue_limit,
                 "Events that may wait before the policy acts (default: 1024)");
  int exit_code = kDone;
  if (!options.parse(arguments, exit_code)) return exit_code;
  json request = q.request("subscribe");
  const TokenFile kept(file);
  if (kept.is_kept()) {
    const std::string token = kept.read();
    // Said now rather than after the first rows.
    if (const Status tried = kept.write(token); !tried.ok())
      return fail("subscribe", tried, q.node.json);
    if (resume.empty()) resume = token;
  }
  if (now && resume.empty()) request["from"] = "now";
  if (!resume.empty()) request["resume"] = resume;
  if (!policy.empty()) request["policy"] = policy;
  if (queue_limit != 0) request["queue_limit"] = queue_limit;
  Result<Client> client = q.node.connect();
  if (!client.ok()) return fail("subscribe", client.status(), q.node.json);
  Status problem;
  const Result<Reply> end = client->stream(
      request.dump(), [&](const Reply& reply) { return print(reply, kept, tokens, problem); });
  if (!problem.ok()) return fail("subscribe", problem, q.node.json);
  return end.ok() ? kDone : q.fail("subscribe", end.status());
}

}  // namespace rhizome::commands
