# ruff: noqa: RUF012
from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="NpmTagMove",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("namespace", fields.CharField(max_length=64)),
                ("package", fields.CharField(max_length=255)),
                ("tag", fields.CharField(max_length=128)),
                ("version", fields.CharField(max_length=255, null=True)),
                ("at", fields.BigIntField()),
                ("actor", fields.CharField(max_length=64)),
            ],
            options={"table": "npm_tag_move", "app": "npm", "pk_attr": "id", "indexes": [Index(fields=["namespace", "package", "id"])]},
            bases=["Model"],
        ),
    ]
