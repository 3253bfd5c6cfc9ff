// The line protocol of the public Negentropy test harness (hoytech/negentropy, test/): a script
// gives two such programs their items and carries messages between them. One thread.
//   item,TIMESTAMP,ID   seal   initiate   msg,HEX   ->   msg,HEX   have,ID   need,ID   done
// The environment's FRAMESIZELIMIT is the frame limit in bytes; without it there is none.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "sync/negentropy.hpp"

namespace {

using namespace rhizome;

int fail(const std::string& why) {
  std::fprintf(stderr, "negentropy_harness: %s\n", why.c_str());
  return 1;
}

void say(const char* word, const std::vector<negentropy::Id>& ids, std::size_t from) {
  for (std::size_t i = from; i < ids.size(); ++i)
    std::cout << word << ',' << to_hex(view(ids[i].data(), ids[i].size())) << '\n';
}

Status insert(const std::string& line, negentropy::VectorStorage& items) {
  const std::size_t comma = line.find(',', 5);
  std::string id;
  if (comma == std::string::npos || !from_hex(ByteView(line).substr(comma + 1, 64), &id) ||
      id.size() != negentropy::kIdSize)
    return {Code::kInvalid, "not an item: " + line};
  negentropy::Id bytes{};
  std::memcpy(bytes.data(), id.data(), id.size());
  items.insert(std::strtoull(line.c_str() + 5, nullptr, 10), bytes);
  return {};
}

// The answer to one message: what it found, then the next message or the end.
Status answer(const std::string& line, negentropy::Session& session) {
  std::string message;
  if (!from_hex(ByteView(line).substr(4), &message)) return {Code::kInvalid, "not hex: " + line};
  const std::size_t had = session.have().size(), needed = session.need().size();
  const Result<std::string> next = session.reconcile(message);
  if (!next.ok()) return next.status();
  say("have", session.have(), had);
  say("need", session.need(), needed);
  if (next->empty())
    std::cout << "done" << std::endl;
  else
    std::cout << "msg," << to_hex(*next) << std::endl;
  return {};
}

}  // namespace

int main() {
  negentropy::VectorStorage items;
  std::optional<negentropy::Session> session;
  const char* limit = std::getenv("FRAMESIZELIMIT");
  negentropy::Options options;
  if (limit != nullptr) options.frame_limit = std::strtoull(limit, nullptr, 10);
  std::string line;
  while (std::getline(std::cin, line)) {
    Status status;
    if (line.rfind("item,", 0) == 0) {
      status = insert(line, items);
    } else if (line == "seal") {
      status = items.seal();
      session.emplace(items, options);
    } else if (!session) {
      status = {Code::kInvalid, "seal first: " + line};
    } else if (line == "initiate") {
      const Result<std::string> first = session->initiate();
      status = first.status();
      if (first.ok()) std::cout << "msg," << to_hex(*first) << std::endl;
    } else if (line.rfind("msg,", 0) == 0) {
      status = answer(line, *session);
    } else {
      status = {Code::kInvalid, "unknown command: " + line};
    }
    if (!status.ok()) return fail(status.to_string());
  }
  return 0;
}
