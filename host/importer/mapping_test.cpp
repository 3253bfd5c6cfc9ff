// The language of maps: templates, their filters, and what a map refuses.
#include "importer/mapping.hpp"

#include <gmock/gmock.h>

#include "importer/testing.hpp"

namespace rhizome::importer {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string render(const std::string& source, const std::string& json) {
  Result<Template> compiled = Template::compile(source);
  if (!compiled) return "error: " + compiled.status().message();
  const Result<Record> record = Record::from_json(json);
  std::string out;
  return compiled->render(*record, {}, out) ? out : "missing";
}

TEST(Template, FieldsFiltersAndLiteralsRender) {
  const std::string record =
      R"({"code": "AZ-BAB", "n": {"en": " Babek ", "x": [1, 2.50]}, "a.b": "-"})";
  EXPECT_EQ(render("country:{code|before:-}", record), "country:AZ");
  EXPECT_EQ(render("{code|after:-|lower}", record), "bab");
  EXPECT_EQ(render("{n.en|trim|upper}", record), "BABEK");
  EXPECT_EQ(render("{n.x.1}", record), "2.50");
  EXPECT_EQ(render("{code|replace:A:\\:}", record), ":Z-B:B");
  EXPECT_EQ(render("{{{code}}}", record), "{AZ-BAB}");
  EXPECT_EQ(render("{a.b}", record), "-");
  EXPECT_EQ(render("{absent|default:none}", record), "none");
  EXPECT_EQ(render("{code|lacks:-|default:\\}}", record), "}");
}

TEST(Template, AMissingFieldOrAFilterThatDoesNotFitMakesTheWholeMissing) {
  EXPECT_EQ(render("x{absent}", R"({"a": null, "absent": null})"), "missing");
  EXPECT_EQ(render("{a|before:-}", R"({"a": "AZ"})"), "missing");
  EXPECT_EQ(render("{a|has:-}", R"({"a": "AZ"})"), "missing");
  EXPECT_EQ(render("{a|trim}", R"({"a": "  "})"), "missing");
}

TEST(Template, MistakesAreNamedWithTheirColumn) {
  EXPECT_THAT(render("a{b", "{}"), HasSubstr("a '{' without its '}' at column 2"));
  EXPECT_THAT(render("a}b", "{}"), HasSubstr("column 2"));
  EXPECT_THAT(render("{a|befor:-}", "{}"),
              HasSubstr("no filter 'befor'; there are: before, after"));
  EXPECT_THAT(render("{a|before}", "{}"), HasSubstr("takes 1 arguments, found 0"));
  EXPECT_THAT(render("{}", "{}"), HasSubstr("without a name"));
}

TEST(Record, RepeatedKeysAreRefused) {
  EXPECT_FALSE(Record::from_json(R"({"a": 1, "a": 2})").ok());
  EXPECT_FALSE(Record::from_json(R"({"a": {"b": 1}, "a.b": 2})").ok());
}

std::string refusal(const std::string& yaml) {
  const Result<Mapping> map = Mapping::parse(yaml, "m.yaml");
  return map ? "accepted" : map.status().message();
}

TEST(Mapping, MistakesAreNamedWithFileLineAndWhatWasExpected) {
  const std::string p = "properties: [{property: p, value: v}]\n";
  EXPECT_THAT(refusal("entity: {id: x}\nproperty: []\n"),
              AllOf(StartsWith("m.yaml:2: property: expected one of: entity, properties, source"),
                    HasSubstr("\nm.yaml:1: properties: expected a value, found nothing")));
  EXPECT_THAT(refusal("entity: {id: x}\nproperties: []\n"),
              StartsWith("m.yaml:2: properties: expected at least 1 items"));
  EXPECT_THAT(refusal("entity: {id: x, id: y}\n" + p),
              StartsWith("m.yaml:1: entity.id: expected each key once"));
  EXPECT_THAT(refusal("entity: &a {id: x}\nproperties: [*a]\n"), HasSubstr("anchor"));
  EXPECT_THAT(refusal("entity: {id: x}\nproperties:\n  - {property: p}\n"),
              StartsWith("m.yaml:3: properties[0]: expected 'value' or 'entity', found neither"));
  EXPECT_THAT(refusal("entity: {id: x}\nproperties: [{property: p, value: v, type: int}]\n"),
              HasSubstr("properties[0].type: expected one of \"text\", \"number\""));
  EXPECT_THAT(refusal("entity: {id: x}\nproperties: [{property: p, value: v, context: c}]\n"),
              HasSubstr("'context' beside 'entity' only"));
  EXPECT_THAT(refusal("source: {records: a}\nentity: {id: x}\n" + p),
              StartsWith("m.yaml:1: source.records: expected a JSON pointer"));
  EXPECT_THAT(refusal("entity: {id: '{a'}\n" + p),
              StartsWith("m.yaml:1: entity.id: expected a template, found a '{' without its '}'"));
  EXPECT_THAT(refusal("entity: {id: [a, [b]]}\n" + p), StartsWith("m.yaml:1: entity.id[1]"));
  EXPECT_THAT(refusal("a: [b\n"), StartsWith("m.yaml:"));
  EXPECT_THAT(refusal(""), HasSubstr("entity: expected a value"));
  EXPECT_THAT(refusal("x"), HasSubstr("expected an object, found \"x\""));
}

TEST(Mapping, AnUnreadableMapIsAnError) {
  EXPECT_EQ(Mapping::load("/nonexistent.yaml").code(), Code::kNotFound);
}

}  // namespace
}  // namespace rhizome::importer
