from tortoise import fields, migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('models', '0007_saved_stores')]

    initial = False

    operations = [
        ops.AddField(
            model_name='Namespace',
            name='strictness',
            field=fields.CharField(null=True, max_length=8),
        ),
    ]
