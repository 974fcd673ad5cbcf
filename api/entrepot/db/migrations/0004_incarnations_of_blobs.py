from tortoise import fields, migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('models', '0003_shards_by_part')]

    initial = False

    operations = [
        # nullable: adding a column with a default and NOT NULL fails on tables with rows
        ops.AddField(
            model_name='Blob',
            name='incarnation',
            field=fields.BigIntField(null=True),
        ),
    ]
