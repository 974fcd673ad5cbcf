from tortoise import fields, migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('models', '0007_strictness')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Binding',
            name='changed_at',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='Head',
            name='hidden_at',
            field=fields.BigIntField(null=True),
        ),
    ]
