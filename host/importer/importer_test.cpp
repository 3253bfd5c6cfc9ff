// Whole imports: what records become, and what a bad one does to the rest.
#include <gmock/gmock.h>

#include "importer/testing.hpp"

namespace rhizome::importer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kMap = R"(
source: {timestamp: "5"}
entity: {id: "thing:{id}", role: thing}
properties:
  - {property: name, value: "{name}"}
)";

std::vector<std::size_t> lines_of(const Imported& run) {
  std::vector<std::size_t> lines;
  for (const ImportItem& item : run.items) lines.push_back(item.line);
  return lines;
}

TEST(Importer, ARecordBecomesOneDeltaForEachPropertyThatItHas) {
  const Imported run = import_text(R"([{"id": 7, "name": "seven", "big": true, "of": "x"}])", R"(
source: {timestamp: "5"}
entity: {id: "n:{id}", role: number}
properties:
  - {property: name, value: "{name}"}
  - {property: id, value: "{id}"}
  - {property: big, value: "{big}"}
  - {property: absent, value: "{absent}"}
  - {property: group, entity: "g:{of}", context: members}
)");
  ASSERT_TRUE(run.status.ok()) << run.status.to_string();
  const std::string head =
      R"({"timestamp":5,"pointers":[{"role":"number","target":{"id":"n:7","context":)";
  ASSERT_THAT(run.items, SizeIs(4));
  EXPECT_EQ(run.items[0].json, head + R"("name"}},{"role":"value","target":"seven"}]})");
  EXPECT_EQ(run.items[1].json, head + R"("id"}},{"role":"value","target":7}]})");
  EXPECT_EQ(run.items[2].json, head + R"("big"}},{"role":"value","target":true}]})");
  EXPECT_EQ(run.items[3].json,
            head + R"("group"}},{"role":"group","target":{"id":"g:x","context":"members"}}]})");
  EXPECT_THAT(run.bad, IsEmpty());
}

TEST(Importer, TheSameFileGivesTheSameClaimsAgain) {
  const TemporaryFile file(R"([{"id": 1, "name": "a"}])");
  const std::string map = "entity: {id: '{id}'}\nproperties: [{property: p, value: '{name}'}]";
  const Imported first = import_file(file.path(), map);
  const Imported second = import_file(file.path(), map);
  ASSERT_THAT(first.items, SizeIs(1));
  ASSERT_THAT(second.items, SizeIs(1));
  EXPECT_EQ(first.items[0].json, second.items[0].json);
  EXPECT_THAT(first.items[0].json, Not(HasSubstr("\"timestamp\":1000")));  // the file's own time
}

TEST(Importer, ABadRecordIsReportedWithItsLineAndTheRestGoesOn) {
  const Imported run = import_text(
      "[\n"
      "{\"id\": 1, \"name\": \"one\"},\n"
      "{\"id\": 2, \"name\": },\n"
      "{\"name\": \"no id\"},\n"
      "{\"id\": 4, \"name\": \"open string},\n"
      "{\"id\": 5, \"name\": [1, 2},\n"
      "{\"id\": 6, \"name\": \"six\"} stray,\n"
      "{\"id\": 7, \"name\": \"seven\"}\n"
      "]\n",
      kMap);
  ASSERT_TRUE(run.status.ok()) << run.status.to_string();
  EXPECT_THAT(lines_of(run), ElementsAre(2, 8));
  ASSERT_THAT(run.bad, SizeIs(5));
  EXPECT_EQ(run.bad[0].line, 3u);
  EXPECT_EQ(run.bad[0].number, 2u);
  EXPECT_THAT(run.bad[0].why, HasSubstr("not JSON"));
  EXPECT_THAT(run.bad[1].why, HasSubstr("'thing:{id}' needs a field that the record lacks"));
  EXPECT_THAT(run.bad[2].why, HasSubstr("string"));
  EXPECT_THAT(run.bad[3].why, HasSubstr("closes nothing"));
  EXPECT_THAT(run.bad[4].why, HasSubstr("expected ',' or ']'"));
  EXPECT_EQ(run.progress.records, 7u);
  EXPECT_EQ(run.progress.bad, 5u);
}

TEST(Importer, ARecordThatFailsHalfWayLeavesNothingBehind) {
  const Imported run =
      import_text(R"([{"id": 1, "name": "a", "n": "12x"}, {"id": 2, "n": "12"}])", R"(
entity: {id: "{id}"}
properties:
  - {property: name, value: "{name}"}
  - {property: n, value: "{n}", type: number}
)");
  ASSERT_THAT(run.items, SizeIs(1));
  EXPECT_THAT(run.items[0].json, HasSubstr("\"target\":12}"));
  ASSERT_THAT(run.bad, SizeIs(1));
  EXPECT_THAT(run.bad[0].why, HasSubstr("'12x' is no number"));
}

TEST(Importer, AnIntegerThatADoubleCannotHoldIsRefusedUnlessItIsText) {
  const std::string record = R"([{"id": 1, "n": 9007199254740993}])";
  const Imported number =
      import_text(record, "entity: {id: '{id}'}\nproperties: [{property: n, value: '{n}'}]");
  ASSERT_THAT(number.bad, SizeIs(1));
  EXPECT_THAT(number.bad[0].why, HasSubstr("cannot hold exactly"));
  const Imported text = import_text(
      record, "entity: {id: '{id}'}\nproperties: [{property: n, value: '{n}', type: text}]");
  ASSERT_THAT(text.items, SizeIs(1));
  EXPECT_THAT(text.items[0].json, HasSubstr("\"9007199254740993\""));
}

TEST(Importer, AListBecomesOneDeltaForEachElement) {
  const Imported run = import_text(R"([{"id": 1, "tags": ["a", "b"], "of": [{"c": "x"}, {}]}])", R"(
entity: {id: "{id}"}
properties:
  - {property: tags, each: tags, value: "{each}"}
  - {property: of, each: of, entity: "o:{each.c}"}
)");
  ASSERT_THAT(run.items, SizeIs(3));
  EXPECT_THAT(run.items[1].json, HasSubstr("\"target\":\"b\""));
  EXPECT_THAT(run.items[2].json, HasSubstr("\"target\":{\"id\":\"o:x\"}"));
}

TEST(Importer, AFileThatEndsEarlyReportsItsLastRecord) {
  const Imported run = import_text("[{\"id\":1,\"name\":\"a\"},\n{\"id\":2,\"na", kMap);
  EXPECT_THAT(run.items, SizeIs(1));
  ASSERT_THAT(run.bad, SizeIs(2));
  EXPECT_EQ(run.bad[0].line, 2u);
  EXPECT_THAT(run.bad[1].why, HasSubstr("before the array's ']'"));
}

TEST(Importer, AMapThatNamesNoArraySaysWhatTheFileHas) {
  const Imported run = import_text(R"({"a": {"b": [1]}, "c": 2})",
                                   "source: {records: /d}\nentity: {id: '{id}'}\n"
                                   "properties: [{property: p, value: x}]");
  EXPECT_EQ(run.status.code(), Code::kInvalid);
  EXPECT_THAT(run.status.message(), HasSubstr("no 'd' (of '/d'); found: a, c"));
}

TEST(Importer, NestedPointersAndEscapesFindTheirArray) {
  const Imported run = import_text(R"({"x": [[{"k":"]"}]], "a/b": {"c~": [{"id":1,"name":"n"}]}})",
                                   "source: {records: /a~1b/c~0, timestamp: '1'}\n"
                                   "entity: {id: '{id}'}\nproperties: "
                                   "[{property: p, value: '{name}'}]");
  ASSERT_TRUE(run.status.ok()) << run.status.to_string();
  EXPECT_THAT(run.items, SizeIs(1));
}

TEST(Importer, HugeAndDeepRecordsAreSkippedInBoundedMemory) {
  const std::string huge = "{\"id\":1,\"name\":\"" + std::string(3u << 20, 'x') + "\"}";
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  const Imported run = import_text("[" + huge + ",{\"id\":2,\"name\":\"b\"}," + deep + "]", kMap);
  ASSERT_TRUE(run.status.ok());
  EXPECT_THAT(run.items, SizeIs(1));
  ASSERT_FALSE(run.bad.empty());
  EXPECT_THAT(run.bad[0].why, HasSubstr("larger than"));
}

TEST(Importer, JsonLinesGoOnAfterABadLine) {
  const Imported run = import_text(
      "{\"id\":1,\"name\":\"a\"}\n\nnonsense\n{\"id\":3,\"name\":\"c\"}", kMap, ".jsonl");
  EXPECT_THAT(lines_of(run), ElementsAre(1, 4));
  ASSERT_THAT(run.bad, SizeIs(1));
  EXPECT_EQ(run.bad[0].line, 3u);
}

TEST(Importer, CsvKnowsQuotesSeparatorsAndLineEndsInsideFields) {
  const Imported run =
      import_text("\xef\xbb\xbfid;name\r\n1;\"a;\"\"b\"\"\nc\"\r\n\r\n2;\r\n3;x;y\r\n4;d\r\n",
                  "source: {separator: ';', timestamp: '1'}\nentity: {id: '{id}'}\n"
                  "properties: [{property: name, value: '{name}'}, {property: id, value: '{id}', "
                  "type: number}]",
                  ".csv");
  ASSERT_TRUE(run.status.ok()) << run.status.to_string();
  EXPECT_THAT(lines_of(run), ElementsAre(2, 2, 5, 7, 7));
  EXPECT_THAT(run.items[0].json, HasSubstr(R"("a;\"b\"\nc")"));
  EXPECT_THAT(run.items[2].json, HasSubstr("\"target\":2}"));  // an empty field is missing
  ASSERT_THAT(run.bad, SizeIs(1));
  EXPECT_EQ(run.bad[0].line, 6u);
  EXPECT_THAT(run.bad[0].why, HasSubstr("3 fields; the header has 2"));
}

TEST(Importer, AnUnclosedCsvQuoteIsReported) {
  const Imported run = import_text("id,name\n1,\"a\n2,b\n", kMap, ".csv");
  EXPECT_THAT(run.items, IsEmpty());
  ASSERT_THAT(run.bad, SizeIs(1));
  EXPECT_THAT(run.bad[0].why, HasSubstr("quote is not closed"));
}

TEST(Importer, ATextOverTheProtocolsLimitIsRefusedHereWithItsLine) {
  const Imported run = import_text(
      "[{\"id\":\"" + std::string(70000, 'x') + "\",\"name\":\"a\"},{\"id\":2,\"name\":\"b\"}]",
      kMap);
  EXPECT_THAT(run.items, SizeIs(1));
  EXPECT_THAT(run.bad, SizeIs(1));
}

TEST(Importer, DeltaLinesPassAsTheyAreAndBadOnesAreReported) {
  const std::string pointers = R"("timestamp":1,"pointers":[{"role":"r","target":1}]})";
  const std::string mine = "{" + pointers;
  const std::string named = R"({"author":"a",)" + pointers;
  const TemporaryFile file(mine + "\n" + named + "\r\n\n{\"claims\":" + named + "}\n" +
                               R"({"claims":)" + named + R"(,"id":"1e20"})" + "\nnonsense\n" + mine,
                           ".jsonl");
  Imported run;
  Options options;
  options.bad = [&run](const BadRecord& bad) { run.bad.push_back(bad); };
  pull_all(open_deltas(file.path(), options), run);
  ASSERT_TRUE(run.status.ok()) << run.status.to_string();
  EXPECT_THAT(lines_of(run), ElementsAre(1, 2, 4, 7));
  EXPECT_EQ(run.items[0].json, mine);
  EXPECT_EQ(run.items[0].kind, ImportItem::Kind::kClaims);
  EXPECT_EQ(run.items[1].json, named);
  EXPECT_EQ(run.items[1].kind, ImportItem::Kind::kDelta);
  EXPECT_EQ(run.items[2].kind, ImportItem::Kind::kDelta);
  ASSERT_THAT(run.bad, SizeIs(2));
  EXPECT_EQ(run.bad[0].line, 5u);
  EXPECT_EQ(run.bad[1].line, 6u);
}

TEST(Importer, LinesOfTheLineageBecomeDeltasOfTheirAuthors) {
  const std::string head = R"({"id":"d1","host":"h","creator":"alice","timeCreated":2000,)";
  const TemporaryFile file(
      head + R"("pointers":[{"localContext":"of","target":"e","targetContext":"p"}]})" + "\n" +
          head + R"("pointers":{"of":{"e":"p"}}})" + "\n" + head + R"("pointers":{"of":null}})" +
          "\n",
      ".jsonl");
  Imported run;
  Options options;
  options.bad = [&run](const BadRecord& bad) { run.bad.push_back(bad); };
  pull_all(open_deltas(file.path(), options), run);
  ASSERT_THAT(run.items, SizeIs(2));
  EXPECT_EQ(run.items[0].json,
            R"({"author":"alice","timestamp":2,"pointers":[{"role":"of","target":{"id":"e",)"
            R"("context":"p"}},{"role":"rhizome.lineage.id","target":"d1"},)"
            R"({"role":"rhizome.lineage.host","target":"h"},)"
            R"({"role":"rhizome.lineage.created","target":2000}]})");
  EXPECT_EQ(run.items[1].json, run.items[0].json);
  EXPECT_EQ(run.items[1].kind, ImportItem::Kind::kDelta);
  ASSERT_THAT(run.bad, SizeIs(1));
  EXPECT_EQ(run.bad[0].line, 3u);
  EXPECT_THAT(run.bad[0].why, HasSubstr("pointers.of"));
}

TEST(Importer, AMissingFileOrADirectoryIsAnError) {
  EXPECT_EQ(import_file("/nonexistent/x.json", kMap).status.code(), Code::kNotFound);
  EXPECT_FALSE(import_file("/", kMap).status.ok());
}

}  // namespace
}  // namespace rhizome::importer
