from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('models', '0006_notices')]

    initial = False

    operations = [
        ops.CreateModel(
            name='SavedStore',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('head', fields.ForeignKeyField('models.Head', source_field='head_id', db_constraint=True, to_field='id', related_name='saved_stores', on_delete=OnDelete.CASCADE)),
                ('representation', fields.CharField(max_length=32)),
                ('rendering', fields.CharField(max_length=64)),
                ('generation', fields.BigIntField()),
                ('body', fields.BinaryField()),
            ],
            options={'table': 'saved_store', 'app': 'models', 'unique_together': (('head', 'representation'),), 'pk_attr': 'id', 'table_description': 'Which shards a document named in some generation: a worker that starts goes on from there. Derived, and written anew now and then.'},
            bases=['Table'],
        ),
    ]
