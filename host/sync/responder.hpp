// The answering half of reconciliation: keeps, for a few peers, the set that their session looks
// at, and answers within each peer's credit of bytes. On the fabric's strand, but for the reading.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sync/context.hpp"
#include "sync/index_ranges.hpp"
#include "sync/messages.hpp"

namespace rhizome::sync {

class Responder : public std::enable_shared_from_this<Responder> {
 public:
  // What a request tells the other half, on the strand.
  struct Hears {
    std::function<void(const LinkKey&)> in_sync;
    std::function<void(const LinkKey&, std::vector<ShortId>)> offered;
  };
  Responder(std::shared_ptr<Context> context, Hears hears)
      : context_(std::move(context)), hears_(std::move(hears)) {}

  void request(const wire::Frame& frame, const Asked& asked);
  // Its debt stays: a new connection is no new credit.
  void gone(const LinkKey& link) {
    if (const auto found = served_.find(link); found != served_.end()) found->second.forget();
  }
  void heartbeat();  // forgets sessions that ended without a word

 private:
  struct Served {
    std::shared_ptr<const Shareable> set;  // what the last compare was answered from
    std::shared_ptr<IndexRanges> ranges;
    Salt salt{};
    bool busy = false;  // one request of a peer at a time
    double credit = 0;  // bytes
    std::uint64_t credit_ns = 0, used_ns = 0;
    std::uint64_t built_ns = 0;  // when all ids were last read for it; 0: never

    void forget() {
      set = nullptr;
      ranges = nullptr;
      salt = {};
    }
  };
  // An answer in the making: a task makes it, the strand takes note of it.
  struct Answer {
    Asked asked;
    std::string body;  // of the request; `request` borrows from it
    Request request;
    std::shared_ptr<const Shareable> set;
    std::shared_ptr<IndexRanges> ranges;
    Salt salt{};
    bool in_sync = false, is_large = false;
    std::vector<std::string> replies;
    std::size_t next = 0, bytes = 0;
    std::uint64_t give_up_ns = 0, spent_ns = 0;
  };
  static bool reads_all_ids(const Request& request, const Served& served);
  static bool is_large(const Request& request, const Served& served) {
    return std::holds_alternative<Want>(request) || reads_all_ids(request, served);
  }
  Served* admit(const Asked& asked, const Request& request);
  Status make(Answer& answer) const;  // off the strand
  Status make_cells(const Compare& compare, Answer& answer) const;
  Status make_keyed(const Keyed& keyed, Answer& answer) const;
  Status make_ranges(const Ranges& ranges, Answer& answer) const;
  Status make_bodies(const Want& want, Answer& answer) const;
  void send(const std::shared_ptr<Answer>& answer);
  void finish(const std::shared_ptr<Answer>& answer);
  void trim();

  const std::shared_ptr<Context> context_;
  const Hears hears_;
  std::map<LinkKey, Served> served_;
  std::size_t large_ = 0;  // large answers under way
};

}  // namespace rhizome::sync
