// Carrying out a plan, event by event.
#include "simulation/trial.hpp"

#include <unordered_map>

#include "authoring/lines.hpp"
#include "simulation/clients.hpp"
#include "simulation/ledger.hpp"
#include "simulation/plugins.hpp"

namespace rhizome::simulation {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::size_t kStranger = 64000;  // its place among the keys
constexpr std::size_t kForeigner = 64001;

std::string said(const std::string& entity, const std::string& value) {
  return R"({"pointers":[{"role":"about","target":{"id":")" + entity +
         R"(","context":"said"}},{"role":"value","target":")" + value + "\"}]}";
}

class Trial {
 public:
  Trial(const Scenario& scenario, const TrialOptions& options)
      : scenario_(scenario),
        options_(options),
        network_(scenario.seed),
        ledger_(network_),
        clients_(network_, ledger_) {}
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  // The nodes end before what their answers refer to.
  ~Trial() {
    for (std::size_t i = 0; i < network_.size(); ++i) network_.node(i).stop();
  }
  Outcome run();

 private:
  void build();
  void apply(const Event& event);
  void work(const Event& event);
  void write(const Event& event, const std::vector<std::string>& lines, WriteOptions how);
  void import(const Event& event);
  void forge(const Event& event);
  void on_wire(const Event& event);
  void on_disk(const Event& event);
  void end(const Event& event);
  void start(std::size_t node);
  void heal();
  void converge();
  void finish();
  std::string line_of(const Event& event, std::int64_t item) const;
  void say(const std::string& line) const {
    if (options_.trace) options_.trace(line);
  }
  void note(const std::string& line) const {
    if (options_.trace) options_.trace("                " + line);
  }

  const Scenario& scenario_;
  const TrialOptions& options_;
  Network network_;
  Ledger ledger_;
  Clients clients_;
  Outcome outcome_;
  std::vector<DeltaId> written_;  // what may be negated
  std::size_t number_ = 0;        // of the event, so that each says something else
};

void Trial::build() {
  network_.quiet();
  network_.authority(Clients::authority().public_key());
  network_.faults(scenario_.loss, scenario_.duplicate, scenario_.least_delay_ms,
                  scenario_.most_delay_ms);
  for (const std::vector<std::size_t>& dials : scenario_.dials) {
    Node& node = network_.node(network_.add(dials, /*runs=*/false));
    if (options_.bug == Bug::kForgetful) node.disk().forget_syncs();
    if (options_.bug == Bug::kDeaf && network_.size() == 1) node.go_deaf();
    node.start();
  }
  clients_.share_roster();
}

void Trial::apply(const Event& event) {
  switch (event.act) {
    case Act::kWrite:
    case Act::kBuffered:
    case Act::kTransaction:
    case Act::kNegate:
    case Act::kImport:
    case Act::kForge:
    case Act::kConfirm:
    case Act::kTokenRead:
    case Act::kConfirmedRead:
      if (!network_.node(event.node).running()) return note("it does not run");
      return work(event);
    case Act::kLoss:
    case Act::kCut:
    case Act::kMend:
    case Act::kPartition:
    case Act::kJoin:
      return on_wire(event);
    case Act::kStop:
    case Act::kKill:
    case Act::kPowerCut:
    case Act::kWipe:
      return end(event);
    case Act::kStart:
      return start(event.node);
    case Act::kClock:
      return network_.node(event.node).executor().set_skew(event.value);
    case Act::kDiskFull:
    case Act::kWriteFails:
    case Act::kStoreAway:
    case Act::kDiskWorks:
      return on_disk(event);
  }
}

std::string Trial::line_of(const Event& event, std::int64_t item) const {
  return said(
      "entity:" + std::to_string(number_ % 5),
      std::to_string(event.node) + "/" + std::to_string(number_) + "/" + std::to_string(item));
}

void Trial::work(const Event& event) {
  if (event.act == Act::kForge) return forge(event);
  if (event.act == Act::kImport) return import(event);
  if (event.act == Act::kConfirm)
    return clients_.write(event.node, "client:" + std::to_string(number_ % 5),
                          std::to_string(event.node) + "/" + std::to_string(number_),
                          need_of(event.value));
  if (event.act == Act::kTokenRead)
    return clients_.read_with_token(event.node, static_cast<std::size_t>(event.value));
  if (event.act == Act::kConfirmedRead)
    return clients_.read_confirmed(event.node, event.value == 0 ? "1" : need_of(event.value));
  WriteOptions how;
  std::vector<std::string> lines;
  if (event.act == Act::kNegate) {
    if (written_.empty()) return note("there is nothing yet");
    lines.push_back(R"({"pointers":[{"role":"negates","target":{"delta":")" +
                    written_[number_ * 7 % written_.size()].hex() + "\"}}]}");
  } else {
    for (std::int64_t i = 0; i < event.value; ++i) lines.push_back(line_of(event, i));
    if (event.act == Act::kTransaction) how.cover = Cover::kTransaction;
    if (event.act == Act::kBuffered) how.durability = use::Durability::kBuffered;
  }
  write(event, lines, how);
}

void Trial::write(const Event& event, const std::vector<std::string>& lines, WriteOptions how) {
  const Result<Written> written =
      network_.node(event.node)
          .authoring()
          .write(drafts_of(std::vector<ByteView>(lines.begin(), lines.end())), how);
  if (!written.ok()) return note("not acknowledged: " + written.status().to_string());
  for (const DraftResult& line : written->results) {
    if (line.verdict == Verdict::kRefused) {
      outcome_.problem = "a write was refused: " + line.problem;
      return;
    }
    written_.push_back(line.id);
    if (how.durability == use::Durability::kSynced) ledger_.acknowledged(line.id);
  }
  if (written->manifest && how.durability == use::Durability::kSynced)
    ledger_.acknowledged(*written->manifest);
}

// Foreign deltas without signatures: the same ones wherever this set is imported.
void Trial::import(const Event& event) {
  const std::string author = key_of(kForeigner).author();
  std::vector<std::string> lines;
  for (int i = 0; i < 6; ++i) {
    std::string line = said("import:" + std::to_string(event.value), std::to_string(i));
    line.insert(1, R"("author":")" + author + R"(","timestamp":1767000000000,)");
    lines.push_back(line);
  }
  write(event, lines, {Cover::kManifest});
}

// A statement of a stranger's that is good, over a delta whose signature is not: it becomes a hole
// and is never stored. It comes to a node that knows the statements before it.
void Trial::forge(const Event& event) {
  const SigningKey key = key_of(kStranger);
  OriginPosition newest, here;
  for (std::size_t i = 0; i < network_.size(); ++i) {
    if (!network_.node(i).running()) continue;
    const auto position = network_.node(i).journal().origin(key.public_key(), 1);
    if (position && position->last > newest.last) newest = *position;
    if (position && i == event.node) here = *position;
  }
  if (!network_.node(event.node).running() || here.last != newest.last) return;
  const std::uint64_t number = newest.last + 1;
  std::string claims;
  must(encode_claims(key.author(), 1, {{"value", ByteView(std::to_string(number))}}, claims));
  const DeltaId id = DeltaId::of_claims(claims);
  network_.send_forged(event.node, key, make_statement(key, 1, number, newest.head, {id}), claims);
}

void Trial::on_wire(const Event& event) {
  if (event.act == Act::kLoss) return network_.loss(static_cast<double>(event.value) / 1000);
  if (event.act == Act::kCut) return network_.cut(event.node, event.other);
  if (event.act == Act::kMend) return network_.mend(event.node, event.other);
  for (std::size_t a = 0; a < network_.size(); ++a) {
    for (std::size_t b = 0; b < network_.size(); ++b) {
      if (is_left(event.value, a) == is_left(event.value, b)) continue;
      if (event.act == Act::kPartition) network_.cut(a, b);
      if (event.act == Act::kJoin) network_.mend(a, b);
    }
  }
}

void Trial::on_disk(const Event& event) {
  Disk& disk = network_.node(event.node).disk();
  if (event.act == Act::kDiskFull) disk.fill();
  if (event.act == Act::kWriteFails) disk.fail_next_write();
  if (event.act == Act::kDiskWorks) disk.works_again();
  if (event.act != Act::kStoreAway) return;
  if (event.value == 2)
    disk.go_away();
  else
    disk.go_away_in_write(event.value == 1);
}

void Trial::end(const Event& event) {
  Node& node = network_.node(event.node);
  ledger_.ends(event.node);
  clients_.ends(event.node);
  if (event.act == Act::kStop) node.stop();
  if (event.act == Act::kKill) node.kill();
  if (event.act == Act::kPowerCut) node.cut_power();
  if (event.act != Act::kWipe) return;
  node.kill();
  ledger_.wiped(event.node);
  clients_.wiped(event.node);
  node.wipe();
}

void Trial::start(std::size_t node) {
  if (network_.node(node).running()) return note("it runs");
  const Status started = network_.node(node).try_start();
  if (!started.ok()) return note("it does not start: " + started.to_string());
  clients_.started(node);
}

// Nothing fails any more, and what is down is started again. A node whose store took no writes goes
// on without a restart.
void Trial::heal() {
  network_.heal();
  network_.faults(0, scenario_.duplicate, scenario_.least_delay_ms, scenario_.most_delay_ms);
  network_.loss(0);
  for (std::size_t i = 0; i < network_.size(); ++i) {
    Node& node = network_.node(i);
    node.disk().works_again();
    if (node.running()) continue;
    const Status started = node.try_start();
    if (!started.ok())
      outcome_.problem =
          "node " + std::to_string(i) + " does not start again: " + started.to_string();
    else
      clients_.started(i);
  }
}

void Trial::converge() {
  const std::uint64_t healed = network_.executor().monotonic_ns();
  while (!network_.converged() || !fault_of_labels(network_).empty()) {
    outcome_.healed_ms = (network_.executor().monotonic_ns() - healed) / kMillisecond;
    if (outcome_.healed_ms >= kHealWithinMs) {
      outcome_.problem = network_.converged()
                             ? "60 s after healing " + fault_of_labels(network_)
                             : "no one digest 60 s after healing:\n" + network_.describe();
      return;
    }
    network_.run_for(250 * kMillisecond);
  }
  outcome_.healed_ms = (network_.executor().monotonic_ns() - healed) / kMillisecond;
}

void Trial::finish() {
  if (outcome_.ok()) outcome_.problem = clients_.problem();
  if (outcome_.ok()) outcome_.problem = ledger_.broken_promise();
  outcome_.confirmed = clients_.counts().confirmed;
  outcome_.unconfirmed = clients_.counts().unconfirmed;
  outcome_.token_reads = clients_.counts().token_reads;
  outcome_.provisional_reads = clients_.counts().provisional;
  outcome_.confirmed_rows = clients_.counts().confirmed_rows;
  outcome_.deltas = network_.node(0).running() ? network_.node(0).deltas() : 0;
  outcome_.acknowledged = ledger_.count();
  outcome_.excused = ledger_.excused();
  outcome_.trace = network_.executor().trace();
  for (std::size_t i = 0; i < network_.size(); ++i) {
    Node& node = network_.node(i);
    outcome_.lost_writes += node.disk().lost_writes();
    if (!node.running()) continue;
    outcome_.holes += node.journal().stats().holes;
    for (const OriginPosition& position : node.journal().origins())
      outcome_.forks += position.forked ? 1 : 0;
    for (const std::uint8_t byte : node.digest())
      outcome_.trace = (outcome_.trace ^ byte) * 1099511628211ULL;  // FNV-1a
  }
}

Outcome Trial::run() {
  say(scenario_.describe());
  build();
  for (const Event& event : scenario_.events) {
    network_.executor().run_until(event.at_ms * kMillisecond);
    say(to_string(event));
    ++number_;
    apply(event);
    if (!outcome_.ok()) break;
  }
  network_.executor().run_until(scenario_.heals_ms * kMillisecond);
  say("healed");
  heal();
  if (outcome_.ok()) converge();
  finish();
  say(network_.describe());
  return outcome_;
}

}  // namespace

Outcome run(const Scenario& scenario, const TrialOptions& options) {
  return Trial(scenario, options).run();
}

}  // namespace rhizome::simulation
