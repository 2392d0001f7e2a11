"""Write ``data/generated.json``: the list of "generated images" that the sandbox's image service holds.

Every row is a picture we render ourselves from a CC0 object, so its prompt describes what is really to be seen.
Edit the table, run this, then ``scripts/make_pictures.py generated``.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path

DATA = Path(__file__).parents[1] / "src" / "ipyassets" / "sandbox" / "data"

ASPECTS = {"square": (768, 768), "wide": (896, 640), "tall": (640, 896), "portrait": (704, 832), "banner": (960, 576)}

# style: (words of the prompt, model id, model name, light)
STYLES = {
    "studio": (
        "studio product photo, soft box light, seamless {colour} backdrop, 85 mm",
        "model_studio-objects-xl",
        "Studio Objects XL",
        "studio",
    ),
    "catalogue": (
        "catalogue photo, even light, {colour} background, sharp focus",
        "model_catalogue-photo-v3",
        "Catalogue Photo v3",
        "soft",
    ),
    "golden hour": (
        "late sun, long shadow, warm light on a {colour} ground, editorial photograph",
        "model_warm-interiors",
        "Warm Interiors",
        "sunset",
    ),
    "warm": (
        "warm lamp light, {colour} wall, cosy magazine photograph",
        "model_warm-interiors",
        "Warm Interiors",
        "warm",
    ),
    "cool": (
        "cool north light, {colour} backdrop, calm Scandinavian mood",
        "model_studio-objects-xl",
        "Studio Objects XL",
        "cool",
    ),
    "dramatic": (
        "single hard light, deep shadows, {colour} backdrop, cinematic",
        "model_night-product",
        "Night Product",
        "dramatic",
    ),
    "pastel": (
        "pastel {colour} set, soft even light, playful advertising photograph",
        "model_pastel-sets",
        "Pastel Sets",
        "soft",
    ),
}

COLOURS = {
    "ivory": "#efe9dc",
    "sand": "#dcc7a3",
    "terracotta": "#c2704f",
    "blush": "#efc9c4",
    "rose": "#d98e96",
    "butter": "#f4dd94",
    "mustard": "#d2a03a",
    "sage": "#b4c3a7",
    "olive": "#7d8450",
    "mint": "#bfe3d0",
    "teal": "#2f6f73",
    "sky blue": "#b9d6ea",
    "steel blue": "#6f8fae",
    "navy": "#22304a",
    "lavender": "#cfc5e6",
    "plum": "#563a58",
    "charcoal": "#2c2e33",
    "grey": "#b9bcc1",
    "pearl": "#e6e8ec",
    "coral": "#f19077",
}

# object, what it looks like, style, colour, aspect, azimuth, elevation, tags
TABLE = """
osaka-chair | a light oak chair with a moulded seat | studio | sage | portrait | 28 | 14 | chair, oak, furniture
osaka-chair | a light oak chair seen from behind | golden hour | terracotta | tall | 150 | 18 | chair, oak, furniture
osaka-chair | a pale wooden dining chair | pastel | lavender | square | -38 | 20 | chair, wood, furniture
forklift | a yellow forklift truck | studio | steel blue | wide | 40 | 16 | forklift, vehicle, industrial
forklift | a yellow forklift truck, low angle | dramatic | charcoal | banner | 215 | 9 | forklift, vehicle, night
grand-piano | a black grand piano with its lid open | dramatic | plum | wide | 25 | 22 | piano, music, concert
grand-piano | a black grand piano | catalogue | pearl | square | -30 | 26 | piano, music
couch | a dark grey corner couch | warm | sand | banner | 22 | 22 | couch, sofa, interior
couch | a charcoal sectional sofa | cool | sky blue | wide | -25 | 24 | couch, sofa, interior
sofa | a beige two-seat sofa with rolled arms | warm | olive | wide | 24 | 16 | sofa, interior
sofa | a cream fabric sofa | pastel | mint | banner | -28 | 18 | sofa, interior
armchair-2 | a cream leather armchair | warm | teal | square | 30 | 18 | armchair, leather, interior
armchair-2 | a white upholstered armchair | golden hour | mustard | portrait | -32 | 20 | armchair, interior
armchair | a green stacking armchair with steel legs | pastel | butter | portrait | 32 | 16 | chair, green, office
deck-chair | a deck chair with a striped sling | golden hour | sand | square | 38 | 16 | deck chair, beach, summer
deck-chair | a striped deck chair | pastel | sky blue | wide | -42 | 20 | deck chair, beach, summer
umbrella | a blue striped parasol | golden hour | butter | square | 20 | 12 | parasol, beach, summer
basketball | an orange basketball | studio | navy | square | 30 | 22 | basketball, sport, ball
basketball | a basketball on a court | dramatic | terracotta | wide | -20 | 12 | basketball, sport, ball
coffee-brewer | a red capsule coffee machine | studio | ivory | portrait | 36 | 16 | coffee, kitchen, appliance
coffee-brewer | a glossy red espresso machine | dramatic | charcoal | tall | -30 | 12 | coffee, kitchen, appliance
coffee-cup | a cup of black coffee on a saucer | warm | terracotta | square | 30 | 34 | coffee, cup, breakfast
coffee-cup | a white espresso cup | pastel | blush | wide | -40 | 26 | coffee, cup
little-plant | a green plant in a terracotta pot | catalogue | ivory | portrait | 30 | 20 | plant, decoration
little-plant | a potted plant on a window sill | golden hour | mint | square | -25 | 16 | plant, decoration
barrel | an old oak barrel with iron hoops | warm | mustard | portrait | 25 | 16 | barrel, wood, cellar
barrel | a wine barrel in a cellar | dramatic | plum | square | -35 | 10 | barrel, wood, cellar
crate | a slatted wooden crate | studio | grey | square | 35 | 24 | crate, wood, storage
crate | a wooden shipping crate | golden hour | olive | wide | -30 | 20 | crate, wood, storage
handbag | a cream and brown leather handbag | studio | rose | square | 24 | 14 | handbag, fashion, leather
handbag | a leather shoulder bag | warm | sage | portrait | -30 | 18 | handbag, fashion, leather
bootie | a pair of blue ankle boots | studio | butter | wide | 40 | 18 | boots, fashion, shoes
bootie | a pair of leather ankle boots | cool | lavender | square | -50 | 22 | boots, fashion, shoes
slippers | black bath slippers | catalogue | mint | wide | 30 | 30 | slippers, shoes
chair-3 | a banquet chair in red velvet and gold | dramatic | navy | tall | 28 | 14 | chair, red, hotel
chair-3 | a red padded conference chair | studio | ivory | portrait | -30 | 18 | chair, red, hotel
chair-4 | a white shell chair with a blue cushion | cool | pearl | square | 30 | 16 | chair, design, white
chair-2 | a white swivel chair with a green seat | pastel | coral | portrait | 26 | 16 | chair, design, retro
chair | a blue plastic school chair | pastel | butter | tall | 34 | 18 | chair, blue, school
stool | a wooden bar stool on a chrome base | studio | teal | tall | 30 | 14 | stool, bar, kitchen
horse | a chestnut horse | golden hour | olive | wide | 55 | 10 | horse, animal
horse | a brown horse in a paddock | cool | sage | square | -50 | 14 | horse, animal
chicken | a red-brown hen | golden hour | sand | square | 45 | 12 | hen, animal, farm
deer | a silver deer figurine | dramatic | teal | tall | 40 | 12 | deer, figurine, decoration
desk-lamp | a brass desk lamp with a white shade | warm | navy | portrait | 20 | 14 | lamp, light, brass
lamp | a black chandelier with candle bulbs | warm | ivory | square | 20 | 4 | chandelier, lamp, light
mailbox | a black mailbox on a wooden post | golden hour | sky blue | tall | 40 | 14 | mailbox, garden
stone-lantern | a Japanese stone lantern | cool | grey | tall | 30 | 12 | lantern, garden, Japan
stone-lantern-2 | a granite garden lantern | golden hour | sage | portrait | 20 | 14 | lantern, garden, Japan
rock | a granite boulder | dramatic | grey | square | 30 | 16 | rock, stone, nature
rock-3 | a weathered sandstone boulder | golden hour | terracotta | wide | -20 | 14 | rock, stone, nature
wheelbarrow | a steel wheelbarrow | catalogue | sage | wide | 40 | 20 | wheelbarrow, garden, tool
child-swing | a green garden swing with two seats | pastel | sky blue | square | 35 | 14 | swing, playground, garden
seesaw | a seesaw on a playground | pastel | coral | banner | 30 | 18 | seesaw, playground
bench | a park bench with green iron ends | golden hour | mint | banner | 30 | 18 | bench, park
table | a rustic trestle table in pale wood | warm | grey | banner | 30 | 20 | table, wood, interior
oak-table | a round oak pedestal table | warm | ivory | wide | 20 | 24 | table, oak, interior
table-with-tablecloth | a round table with a checked tablecloth | pastel | blush | square | 20 | 26 | table, picnic
bidet | a white ceramic bidet | cool | steel blue | square | 35 | 22 | bathroom, ceramic
vanity | a white bathroom vanity with a marble top | catalogue | lavender | square | 28 | 22 | bathroom, furniture
refrigerator | a stainless steel refrigerator | studio | pearl | tall | 26 | 12 | refrigerator, kitchen, appliance
locked-locker | a dented blue steel locker | dramatic | mustard | portrait | 26 | 14 | locker, school, steel
text-marker | a neon highlighter pen | pastel | lavender | wide | 40 | 28 | pen, office, neon
scissors | a pair of orange-handled scissors | catalogue | sky blue | wide | 30 | 50 | scissors, office, tool
headphones | black studio headphones | dramatic | steel blue | square | 35 | 14 | headphones, music, audio
baby-bottle | a baby bottle with a blue collar | pastel | blush | tall | 15 | 12 | bottle, baby
plastic-cup | a blue party cup | pastel | coral | portrait | 15 | 22 | cup, party
calendar | a desk calendar | catalogue | mustard | wide | 25 | 18 | calendar, office
pallet | a wooden euro pallet | studio | teal | wide | 35 | 24 | pallet, wood, logistics
box | a blue folding crate | studio | coral | wide | 32 | 24 | box, storage, logistics
piano-bench | a black tufted piano bench | studio | rose | wide | 32 | 20 | bench, piano, music
flacon | a slender perfume flacon in black glass | dramatic | rose | tall | 25 | 10 | perfume, bottle, beauty
cosmetics-pot | a white cosmetics jar | pastel | rose | square | 20 | 22 | cosmetics, jar, beauty
shelves | a white cube shelf with red drawers | cool | sand | square | 28 | 16 | shelf, interior
desk | a cherry wood computer desk | catalogue | sky blue | wide | 30 | 18 | desk, office
towel-rack | a navy towel on a steel rack | cool | mint | square | 24 | 12 | towel, bathroom
"""

NEGATIVE = (
    "blurry, low resolution, watermark, text, logo",
    "blurry, noise, deformed, cropped, watermark",
    "people, hands, clutter, text, watermark, jpeg artefacts",
    "lowres, overexposed, duplicate objects, frame, border",
)


def rows() -> list[dict[str, object]]:
    random_ = random.Random("generated images")
    start = dt.datetime(2026, 1, 12, 8, 0, tzinfo=dt.UTC)
    made: list[dict[str, object]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(TABLE.strip().splitlines()):
        key, what, style, colour, aspect, azimuth, elevation, tags = (cell.strip() for cell in line.split("|"))
        words, model_id, model_name, mood = STYLES[style]
        seen[key] = seen.get(key, 0) + 1
        width, height = ASPECTS[aspect]
        created = start + dt.timedelta(hours=31 * number, minutes=random_.randrange(60), seconds=random_.randrange(60))
        made.append(
            {
                "key": f"{key}-{style.replace(' ', '-')}-{seen[key]}",
                "object_key": key,
                "prompt": f"{what}, {words.format(colour=colour)}",
                "negative_prompt": random_.choice(NEGATIVE),
                "seed": random_.randrange(2**32),
                "model_id": model_id,
                "model_name": model_name,
                "tags": [*tags.split(", "), style],
                "style": style,
                "width": width,
                "height": height,
                "created": created.isoformat(),
                "azimuth": float(azimuth),
                "elevation": float(elevation),
                "background": COLOURS[colour],
                "mood": mood,
            }
        )
    return made


def main() -> None:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows())
    (DATA / "generated.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
